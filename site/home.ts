// The first page: the README, with what a newcomer looks for in front of the rest.
import { escaped, type Rendered } from './markdown.js';

/** What the README has to have, found by what it is and not by its words. */
export function homeOf({ title, parts }: Rendered): string {
  const [intro, ...rest] = parts;
  const missing = (what: string) => new Error(`README.md: expected ${what}, for the first page of the site`);
  const lead = /<p>(?!<img)[\s\S]*?<\/p>/.exec(intro?.html ?? '')?.[0];
  if (!intro || !lead) throw missing('a sentence under its title that says what it is');
  const picture = /<p>(<img [^>]*>)<\/p>/.exec(intro.html);
  if (!picture) throw missing('a picture above its first heading');
  const first = rest.find(({ blocks }) => blocks.some(({ place }) => place === 'In a page'));
  if (!first) throw missing('a section with a first example *In a page:*');
  const installs = parts.flatMap(({ blocks, heading }) =>
    blocks.flatMap(({ code }) => code.split('\n').map((line) => ({ line, heading }))),
  );
  const install = installs.find(({ line }) => line.startsWith('npm install'));
  if (!install?.heading) throw missing('a line "npm install …" under a heading');

  const others = rest.filter((part) => part !== first).map(({ html }) => html);
  const eager = picture[1]!.replace(' loading="lazy"', '');
  return `<div class="hero">
<div>
<h1>${escaped(title)}</h1>
${lead.replace('<p>', '<p class="lead">')}
<p class="actions"><a class="button strong" href="explorer/index.html">Open the explorer</a> <a class="button" href="explorer/train.html">Watch it learn</a></p>
<figure class="code install"><figcaption><a href="#${install.heading.id}">${escaped(install.heading.text)}</a></figcaption><pre><code>${escaped(install.line)}</code></pre></figure>
</div>
<a class="picture" href="explorer/index.html">${eager}</a>
</div>
${first.html}
${intro.html.replace(lead, '').replace(picture[0], '')}
${others.join('\n')}`;
}
