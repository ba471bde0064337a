// node scripts/release-notes.mjs v1.2.3: prints what the changelog says of a version, if its tag may be released.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The section of a version.
 * @param {string} tag `v1.2.3`
 * @param {{ version: string, repository: { url: string } }} packaged package.json
 * @param {string} changelog
 * @throws Error if the tag is not that of the version, if the changelog does not tell of it, or if package.json does not say who publishes.
 */
export function notesOf(tag, packaged, changelog) {
  const { version, repository } = packaged;
  if (tag !== `v${version}`)
    throw new Error(`expected the tag v${version}, of the version in package.json, got '${tag}'`);
  if (repository.url.includes('/OWNER/'))
    throw new Error(`package.json: expected who publishes in place of OWNER, got ${repository.url}`);
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((one) => one.split(/\s/)[0] === version);
  const [, notes = ''] = section?.split(/\n([\s\S]*)/) ?? [];
  if (notes.trim() === '')
    throw new Error(`CHANGELOG.md: expected a section "## ${version}" that says something`);
  return notes.trim();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = join(import.meta.dirname, '..');
  const read = (file) => readFileSync(join(root, file), 'utf8');
  try {
    console.log(notesOf(process.argv[2] ?? '', JSON.parse(read('package.json')), read('CHANGELOG.md')));
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
