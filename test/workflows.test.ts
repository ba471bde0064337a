// What .github says to GitHub, which nobody runs here: that it is well-formed, names what there is, and may do no more than it must.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseDocument } from 'yaml';

const { notesOf }: { notesOf: (tag: string, packaged: object, changelog: string) => string } = await import(
  new URL('../scripts/release-notes.mjs', import.meta.url).href
);

const repository = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(join(repository, file), 'utf8');
const packaged = JSON.parse(read('package.json'));

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly 'runs-on': string;
  readonly 'timeout-minutes'?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly os: string[]; readonly node: string[] } };
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** A file of YAML 1.2 in which nothing is wrong and nothing doubtful, such as a key that comes twice. */
function parse<T>(file: string): T {
  const document = parseDocument(read(file));
  expect([...document.errors, ...document.warnings], file).toEqual([]);
  return document.toJS() as T;
}
const filesIn = (folder: string) => readdirSync(join(repository, folder)).map((file) => `${folder}/${file}`);

const workflows = filesIn('.github/workflows').map((file) => ({
  file,
  text: read(file),
  ...parse<Workflow>(file),
}));
const jobs = workflows.flatMap(({ file, jobs }) =>
  Object.entries(jobs).map(([name, job]) => ({ place: `${file}: ${name}`, ...job })),
);
const steps = jobs.flatMap(({ place, steps }) => steps.map((step) => ({ place, ...step })));

test('what they run is there', () => {
  for (const { place, run = '' } of steps) {
    for (const [, name] of run.matchAll(/npm run (\S+)/g))
      expect(Object.keys(packaged.scripts), place).toContain(name);
    for (const [, file] of run.matchAll(/node (\S+)/g))
      expect(existsSync(join(repository, file!)), place).toBe(true);
  }
  expect(steps.filter(({ run }) => run === 'npm test').length).toBe(2);
});

test('all systems, with the oldest Node that the package allows and those that are maintained', () => {
  const [{ matrix }] = jobs.flatMap(({ strategy }) => strategy ?? []) as [NonNullable<Job['strategy']>];
  expect(matrix.os.map((os) => os.split('-')[0])).toEqual(['ubuntu', 'macos', 'windows']);
  expect(`>=${matrix.node[0]}`).toBe(packaged.engines.node);
  expect(matrix.node.slice(1)).toEqual(['22', '24']);
  const versions = steps.flatMap((step) =>
    step.uses?.includes('setup-node') ? [step.with?.['node-version']] : [],
  );
  // the one of the matrix, or one that it has
  for (const version of versions) expect(String(version)).toMatch(/^\$\{\{ matrix\.node \}\}$|^24$/);
});

test('they may read the repository, and more only where it is needed', () => {
  for (const { file, permissions } of workflows) expect(permissions, file).toEqual({ contents: 'read' });
  const more = Object.fromEntries(
    jobs.flatMap(({ place, permissions }) => (permissions ? [[place, permissions]] : [])),
  );
  expect(more).toEqual({
    '.github/workflows/site.yml: deploy': { pages: 'write', 'id-token': 'write' },
    '.github/workflows/release.yml: publish': { contents: 'read', 'id-token': 'write' },
    '.github/workflows/release.yml: release': { contents: 'write' },
  });
});

test('no secret is named, and the token of a run by the release alone', () => {
  for (const { file, text } of workflows) {
    expect(text, file).not.toMatch(/secrets\s*[.[]/);
    expect(text.includes('github.token'), file).toBe(file.endsWith('release.yml'));
  }
  // what somebody else wrote, such as the name of a branch, is no part of a command
  for (const { place, run = '' } of steps) expect(run, place).not.toContain('${{');
});

test('what others made is pinned to a commit, the version beside it, and ends in time', () => {
  for (const { file, text } of workflows)
    for (const [line] of text.matchAll(/uses:.*/g))
      expect(line, file).toMatch(/^uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  for (const { place, 'timeout-minutes': minutes } of jobs) expect(minutes, place).toBeLessThanOrEqual(60);
  for (const step of steps)
    if (step.uses?.includes('checkout'))
      expect(step.with, step.place).toEqual({ 'persist-credentials': false });
});

test('dependencies are watched where there are some', () => {
  const { updates } = parse<{ updates: { 'package-ecosystem': string; directory: string }[] }>(
    '.github/dependabot.yml',
  );
  for (const { 'package-ecosystem': kind, directory } of updates) {
    const file = kind === 'npm' ? 'package.json' : '.github/workflows';
    expect(existsSync(join(repository, directory, file)), directory).toBe(true);
  }
});

test('the forms ask for what is needed to see the same', () => {
  const forms = filesIn('.github/ISSUE_TEMPLATE').filter((file) => !file.endsWith('config.yml'));
  expect(forms.length).toBe(3);
  for (const file of forms) {
    const { name, description, body } = parse<{
      name: string;
      description: string;
      body: { type: string; id: string; attributes: { label: string } }[];
    }>(file);
    expect(name && description, file).toBeTruthy();
    expect(new Set(body.map(({ id }) => id)).size, file).toBe(body.length);
    for (const { type, attributes } of body) {
      expect(['input', 'textarea']).toContain(type);
      expect(attributes.label, file).toBeTruthy();
    }
    if (!file.endsWith('question.yml'))
      expect(body.map(({ id }) => id)).toEqual(
        expect.arrayContaining(['version', 'device', 'shape', 'program']),
      );
  }
  parse('.github/ISSUE_TEMPLATE/config.yml');
});

test('a release has the version of package.json, a section of the changelog, and somebody who publishes', () => {
  const published = {
    ...packaged,
    repository: { url: packaged.repository.url.replace('/OWNER/', '/somebody/') },
  };
  const tag = `v${packaged.version}`;
  const changelog = read('CHANGELOG.md');
  const notes = notesOf(tag, published, changelog);
  expect(changelog).toContain(`## ${packaged.version}\n\n${notes}\n`);
  expect(notes).not.toContain('\n## ');
  expect(() => notesOf('v9.9.9', published, changelog)).toThrow(`expected the tag ${tag}`);
  expect(() => notesOf(tag, published, '# Changelog\n\n## 0.0.1\n\nFirst.\n')).toThrow(
    'expected a section "## ',
  );
  expect(() => notesOf(tag, { ...packaged, repository: { url: 'https://host/OWNER/x' } }, changelog)).toThrow(
    'OWNER',
  );
});
