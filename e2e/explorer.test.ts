import { extname } from 'node:path';
import type { Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import { CtcLoss } from 'webgpu-ctc';
import { type Cell, isPossible, type Problem } from '../demo/explorer/engine/analysis.js';
import { sayProbability } from '../demo/explorer/engine/ways.js';
import { classOf, letterClasses, logitsOf, wideProblem } from '../demo/explorer/sources/made-up.js';
import { applyEdits, noEdits } from '../demo/explorer/state/edits.js';
import { colourOf, type Rgb, type Theme } from '../demo/shared/colours.js';
import type { Layer } from '../demo/shared/layers.js';
import { complaintsOf } from './axe.js';
import { drawn, explore, exploreOnCpu, firstLoad, says, sentence, settled, site, visit } from './explore.js';

describe('the first view', () => {
  test('needs at most 90 kB of script and style', () => {
    const { files, bytes: sum } = firstLoad('index.html');
    console.log(`the page loads ${sum} bytes of script and style, gzipped, before anything is computed`);
    expect(files.map((file) => extname(file))).toEqual(expect.arrayContaining(['.css', '.js']));
    expect(sum).toBeLessThanOrEqual(90_000);
  });

  test('says what CTC does, with few controls and no dialog', () =>
    explore(async (page) => {
      expect(await sentence(page)).toMatch(
        /^In 12 frames there are 8,008 ways to spell hello; together they have probability [\d.]+ %, a loss of 2\.33\.$/,
      );
      expect(await says(page, '.says')).toBe("Without this gap the two l's would merge.");
      expect(await says(page, '#backend')).toMatch(/WebGPU: \w/);
      expect(await page.locator('dialog, [role=dialog]').count()).toBe(0);
      // three radio buttons are one control
      const controls = page.locator('button:visible, input:visible, summary:visible');
      const names = await controls.evaluateAll((elements) =>
        elements
          .filter((e) => e.getAttribute('role') !== 'radio' && !e.closest('.gutter, aside'))
          .map((e) => e.id || e.textContent),
      );
      expect(names.length + 1).toBeLessThanOrEqual(9);
    }));

  test('the sweep plays once, and not for those who came with a link or want no motion', async () => {
    const progress = (page: Page) => page.locator('#progress').innerText();
    await exploreOnCpu(
      async (page) => {
        await page.waitForFunction(() => /forward/.test(document.getElementById('progress')!.textContent!));
        await page.clock.fastForward(15_000);
        await expect.poll(() => progress(page)).toBe('all frames');
      },
      {
        async before(page) {
          await page.clock.install();
          await page.emulateMedia({ reducedMotion: 'no-preference' });
        },
      },
    );
    await exploreOnCpu(async (page) => expect(await progress(page)).toBe('all frames'));
    await exploreOnCpu(async (page) => expect(await progress(page)).toBe('all frames'), {
      hash: '#text=hello',
      before: (page) => page.emulateMedia({ reducedMotion: 'no-preference' }),
    });
  });
});

test('while an example is loading there is a bar with words, and nothing to play', async () => {
  let go = () => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  await visit(
    async (page) => {
      await expect.poll(() => says(page, '#busy')).toMatch(/^Loading the emissions/);
      expect(await page.locator('#busy progress').getAttribute('value')).toBe('0');
      expect(await says(page, '#progress')).toBe('loading …');
      for (const control of ['#play', '#scrubber'])
        expect(await page.locator(control).isDisabled()).toBe(true);
      expect(await page.inputValue('#scrubber')).toBe('0');
      go();
      await settled(page);
      await expect.poll(() => says(page, '#busy')).toBe('');
      expect(await page.locator('#play').isEnabled()).toBe(true);
    },
    {
      gpu: false,
      path: 'index.html?device=cpu#example=dear&text=oh+dear',
      before: (page) => page.route(/clip3\.logits/, async (route) => held.then(() => route.continue())),
    },
  );
});

test('the story: five steps, each with a link, over the live lattice', () =>
  exploreOnCpu(async (page) => {
    const heading = () => says(page, '#story h2');
    await page.getByRole('link', { name: 'See it in five steps' }).click();
    await expect.poll(heading).toBe('Frames, and what is heard');
    expect(await complaintsOf(page)).toEqual([]);
    const legend = () => page.locator('#legend figcaption').last().innerText();
    await expect.poll(legend).toMatch(/^Probability/);
    await page.getByRole('button', { name: 'Next' }).click();
    await expect.poll(heading).toBe('All the ways to say it');
    await expect.poll(() => says(page, '.strings')).toContain('–hheell–loo–');
    await page.getByRole('link', { name: /^Step 5/ }).click();
    await expect.poll(heading).toBe('The loss, and its gradient');
    expect(page.url()).toMatch(/#story=5$/);
    await expect.poll(legend).toMatch(/^Gradient/);
    await expect.poll(() => says(page, '#panel-loss')).toContain('2.333 nats');
    await page.goBack();
    await expect.poll(heading).toBe('All the ways to say it');
    await page.getByRole('button', { name: 'Skip' }).click();
    await expect.poll(() => page.locator('#story').isVisible()).toBe(false);
    // what is on show stays, and a link says it
    expect(page.url()).toMatch(/panel=paths/);
    await page.getByRole('button', { name: 'Examples' }).click();
    await page.getByRole('button', { name: /^The story/ }).click();
    await expect.poll(heading).toBe('Frames, and what is heard');
    await page.fill('#word', 'help');
    await expect.poll(() => page.locator('#story').isVisible()).toBe(false);
    await expect.poll(() => sentence(page)).toContain('spell help');
    await page.goto('about:blank');
    await page.goto(`${site.url}index.html?device=cpu#story=3`);
    await expect.poll(heading).toBe('Why there is a blank');
    await expect.poll(() => says(page, '.where')).toBe("Frame 7, the blank between the two l's");
  }));

describe('one path', () => {
  const strings = async (page: Page) =>
    (await page.locator('.strings dd').allInnerTexts()).map((s) => s.trim());

  test('is told frame by frame, merged and without its blanks; played, drawn, shared', () =>
    exploreOnCpu(async (page) => {
      await page.getByRole('tab', { name: 'Paths' }).click();
      await expect.poll(() => strings(page)).toEqual(['–hheell–loo–', '–hel–lo–', 'hello']);
      const list = await page.locator('.ways code').allInnerTexts();
      expect(list.length).toBe(8);
      expect(new Set(list).size).toBe(8);
      // those who want no motion go by steps
      for (let i = 0; i < 8; i++) await page.click('#play');
      await expect.poll(() => strings(page)).toEqual(['–hheell–loo–', '–hel–', 'hel']);
      await page.getByRole('button', { name: 'A frame on' }).click();
      await expect.poll(() => strings(page)).toEqual(['–hheell–loo–', '–hel–l', 'hell']);
      await page.locator('.ways button').nth(3).click();
      await expect.poll(() => strings(page)).toEqual([list[3], expect.stringMatching(/^–?h/), 'hello']);
      await page.getByRole('button', { name: 'Draw another' }).click();
      await expect.poll(() => page.url()).toMatch(/panel=paths&path=d1/);
      await expect.poll(() => page.locator('.ways [aria-pressed="true"]').count()).toBe(0);
      const [drawn] = await strings(page);
      expect(drawn!.replace(/(.)\1+/g, '$1').replaceAll('–', '')).toBe('hello');
      const link = page.url();
      await page.goto('about:blank');
      await page.goto(link);
      await expect.poll(() => strings(page)).toEqual([drawn, expect.any(String), 'hello']);
      await page.getByRole('tab', { name: 'Edit' }).click();
      await expect.poll(() => page.url()).not.toMatch(/path=/);
      // what is said under the header is said once, whatever is opened
      await page.getByLabel('Blank bias').fill('3');
      await page.getByRole('tab', { name: 'Paths' }).click();
      await expect.poll(() => strings(page)).toHaveLength(3);
      expect((await sentence(page)).match(/Edited/g)).toHaveLength(1);
    }));

  test('says its string under the pointer', () =>
    exploreOnCpu(async (page) => {
      const { x, y, width, height } = (await page.locator('#lattice .plot').boundingBox())!;
      await page.mouse.move(x + (4.5 * width) / 12, y + (3.5 * height) / 11);
      await expect.poll(() => page.locator('#lattice .tip').innerText()).toMatch(/^–hheell–loo–\s+[\d.]+ %$/);
      await page.mouse.move(x + (8.5 * width) / 12, y + (1.5 * height) / 11);
      await expect.poll(() => page.locator('#lattice .tip').isVisible()).toBe(false);
    }));
});

describe('diagnosis', () => {
  test('the loss, and what took the rest: the probabilities are those that a loss of each text gives', () =>
    exploreOnCpu(async (page) => {
      await page.getByRole('tab', { name: 'Loss' }).click();
      const rows = page.locator('.rivals li');
      await rows.nth(8).waitFor();
      const ctc = await CtcLoss.create({ device: 'cpu', reduction: 'none' });
      const logits = { data: logitsOf('hello', 12), shape: [12, letterClasses] as const };
      const lossOf = async (text: string) =>
        (await ctc.run({ logits, targets: [...text].map(classOf) })).loss;
      expect(await says(page, '.large')).toBe(`${(await lossOf('hello')).toFixed(3)} nats`);
      const seen = await rows.evaluateAll((items) =>
        items.map((item) => {
          const code = item.querySelector('code')!.cloneNode(true) as HTMLElement;
          for (const left of code.querySelectorAll('del')) left.remove();
          return [code.textContent!, item.querySelector('span')!.textContent!] as const;
        }),
      );
      expect(seen[0]![0]).toBe('hello');
      for (const [text, percent] of seen) expect(percent).toBe(sayProbability(-(await lossOf(text))));
      // of all texts the likeliest, nearest or not
      const found = page.locator('.readings .rivals li');
      await found.nth(7).waitFor();
      const textsOf = (items: typeof found) =>
        items.evaluateAll((all) =>
          all.map((one) => ['code', 'span', 'small'].map((part) => one.querySelector(part)!.textContent!)),
        );
      const likeliest = await textsOf(found);
      for (const [text, percent] of likeliest) expect(percent).toBe(sayProbability(-(await lossOf(text!))));
      const losses = await Promise.all(likeliest.map(([text]) => lossOf(text!)));
      expect(losses).toEqual(losses.toSorted((a, b) => a - b));
      // of the texts nearest to it none is likelier and not among them
      const read = likeliest.map(([text]) => text!);
      for (const [text] of seen)
        expect(read.includes(text) || (await lossOf(text)) >= losses.at(-1)!, text).toBe(true);
      // with words that are known, in the case of the symbols
      await page.getByText('Read it with words that are known').click();
      await page.getByRole('textbox', { name: 'Words' }).fill('Yellow, help 4ever');
      const known = page.locator('.readings details .rivals li');
      await known.nth(1).waitFor();
      expect((await textsOf(known)).slice(0, 2)).toEqual([
        ['help', expect.any(String), 'new'],
        ['yellow', expect.any(String), 'new'],
      ]);
      expect(await says(page, '.readings details')).toContain('cannot spell 4ever.');
      expect(await says(page, '.readings details')).toContain('Another text comes first.');
      expect(page.url()).toContain('words=Yellow%2C+help+4ever');
      await page.getByLabel('Others, too').check();
      await expect.poll(async () => (await textsOf(known))[0]).toEqual(['hello', '9.7 %', 'was first']);
      // other scores are read anew, another text over the same is not
      await page.getByRole('tab', { name: 'Edit' }).click();
      await page.getByRole('slider', { name: /^Temperature/ }).fill('4');
      await page.getByRole('tab', { name: 'Loss' }).click();
      await expect.poll(async () => (await textsOf(found))[0]?.[1]).not.toBe('9.7 %');
      await page.getByRole('tab', { name: 'Edit' }).click();
      await page.getByRole('button', { name: 'As they were' }).click();
      await page.getByRole('tab', { name: 'Loss' }).click();
      await expect.poll(async () => (await textsOf(found))[0]).toEqual(['hello', '9.7 %', '']);
      await expect.poll(() => rows.first().innerText()).toMatch(/^hello/);
      ctc.destroy();
      await page.locator('.rivals button:enabled').first().click();
      await expect.poll(() => page.inputValue('#word')).toBe('helo');
      await expect.poll(() => says(page, '.heard')).toMatch(/hel.*o/);
    }));

  test('what would take long to read is not read', () =>
    exploreOnCpu(
      async (page) => {
        const readings = page.locator('.readings');
        await expect.poll(() => readings.innerText()).toMatch(/of 2,000 frames would hold the page up/);
        expect(await readings.locator('.rivals, summary:visible').count()).toBe(0);
      },
      { hash: '#example=wide&panel=loss&text=cat' },
    ));

  test('two words that are exchanged are found, in the text, in the table, and in the lattice', () =>
    exploreOnCpu(
      async (page) => {
        await page.getByRole('tab', { name: 'Loss' }).click();
        const place = page.getByRole('button', { name: /^years seven seven years/ });
        await expect.poll(() => place.innerText()).toMatch(/\+2\d\d\.\d$/);
        await place.click();
        // the frames of the y that was not said are in the middle of what is seen
        await expect.poll(() => page.url()).toMatch(/at=8\d\.31/);
        await page.getByRole('tab', { name: 'Labels' }).click();
        await page.locator('.labels tbody tr').first().waitFor();
        const doubtful = page.locator('#panel-labels .heard button');
        const percents = await doubtful.evaluateAll((words) =>
          words.map((word) => [word.textContent, Number.parseInt((word as HTMLElement).title, 10)] as const),
        );
        const worst = percents.toSorted((a, b) => a[1] - b[1]).slice(0, 2);
        expect(worst.map(([word]) => word).toSorted()).toEqual(['seven', 'years']);
        const first = page.locator('.labels tbody tr').first();
        await first.click();
        await expect(first.getAttribute('class')).resolves.toBe('selected');
        await page.getByRole('button', { name: 'frames', exact: true }).click();
        const counts = await page.locator('.labels tbody tr td:nth-child(3)').allInnerTexts();
        expect(counts.map(Number)).toEqual(counts.map(Number).toSorted((a, b) => b - a));
      },
      {
        hash: '#example=score&text=four+score+and+years+seven+ago+our+fathers+brought+forth+a+new+nation',
      },
    ));

  test('a frame of the scores tells its likeliest symbols; classes that compete have rows', () =>
    exploreOnCpu(async (page) => {
      const { x, y, width, height } = (await page.locator('#emissions .plot').boundingBox())!;
      await page.mouse.move(x + (5.5 * width) / 12, y + height / 2);
      const tip = page.locator('#emissions .tip');
      await expect.poll(() => tip.innerText()).toMatch(/^frame 5\nl {2}\d+ %\n/);
      await page.mouse.move(x, y - 60);
      await expect.poll(() => tip.isVisible()).toBe(false);
      await page.fill('#word', 'heo');
      const rows = page.locator('#emissions .gutter span');
      await expect.poll(() => rows.allInnerTexts()).toEqual(['h', 'e', 'o', '–', 'l', 'rest']);
    }));
});

test('scores are looked at and painted from the keyboard', () =>
  exploreOnCpu(async (page) => {
    const before = await sentence(page);
    await page.getByRole('tab', { name: 'Edit' }).click();
    await page.locator('#emissions .plot.editing').focus();
    await page.keyboard.press('ArrowDown');
    for (let i = 0; i < 7; i++) await page.keyboard.press('ArrowRight');
    await expect.poll(() => says(page, '#spoken')).toMatch(/^Frame 7: e [\d.]+ %\. Likeliest: blank/);
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toMatch(/paint=5_7_9_0\.9$/);
    await expect.poll(() => sentence(page)).not.toBe(before);
    await page.keyboard.press('Control+z');
    await expect.poll(() => sentence(page)).toBe(before);
  }));

test('Play follows the layer that is chosen, and steps where no motion is wanted', () =>
  exploreOnCpu(async (page) => {
    const seen = () =>
      page.locator('canvas.cells').evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
    const progress = () => says(page, '#progress');
    for (const [layer, words] of [
      ['Forward', 'forward: frame 0 of 0 to 11'],
      ['Backward', 'backward: frame 11 of 0 to 11'],
      ['Path mass', 'forward: frame 0 of 0 to 11'],
    ] as const) {
      await page.getByRole('radio', { name: layer }).click();
      await expect.poll(progress).toMatch(/all frames/);
      await drawn(page);
      const whole = await seen();
      await page.getByRole('button', { name: 'A frame further' }).click();
      expect(await progress()).toBe(words);
      await drawn(page);
      const begun = await seen();
      expect(begun).not.toBe(whole);
      await page.getByRole('button', { name: 'A frame on' }).click();
      await drawn(page);
      expect(await seen()).not.toBe(begun);
      await page.getByRole('button', { name: 'A frame back' }).click();
      await page.getByRole('button', { name: 'A frame back' }).click();
      await drawn(page);
      expect(await seen()).toBe(whole);
    }
  }));

describe('editing', () => {
  test('another word is another lattice; what cannot be is explained', () =>
    exploreOnCpu(async (page) => {
      await page.fill('#word', 'help');
      await expect.poll(() => sentence(page)).toContain('ways to spell help');
      await page.fill('#word', 'hellllllo');
      await expect
        .poll(() => sentence(page))
        .toBe(
          'hellllllo needs at least 14 frames: 9 labels + 5 repeats. Here are only 12.\nThe recogniser heard hello.\nLet it hear hellllllo',
        );
      await page.getByRole('button', { name: 'Let it hear' }).click();
      await expect.poll(() => sentence(page)).toMatch(/In 20 frames there are .* ways to spell hellllllo/);
      await page.fill('#word', '');
      await expect.poll(() => sentence(page)).toMatch(/^Type a word/);
    }));

  test('a stroke over the emissions changes them, and is undone as one', () =>
    exploreOnCpu(async (page) => {
      const before = await sentence(page);
      await page.getByRole('tab', { name: 'Edit' }).click();
      const box = (await page.locator('#emissions .plot.editing').boundingBox())!;
      // the row of h, over the last half
      await page.mouse.move(box.x + box.width * 0.6, box.y + 4);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.8, box.y + 4, { steps: 4 });
      await page.mouse.move(box.x + box.width * 0.95, box.y + 4, { steps: 4 });
      await page.mouse.up();
      await expect.poll(() => sentence(page)).not.toBe(before);
      await expect.poll(() => page.url()).toMatch(/paint=8_7_12_0\.9$/);
      await page.keyboard.press('Control+z');
      await expect.poll(() => sentence(page)).toBe(before);
      await page.getByLabel('Blank bias').fill('3');
      await expect.poll(() => sentence(page)).not.toBe(before);
      await page.getByRole('button', { name: 'As they were' }).click();
      await expect.poll(() => sentence(page)).toBe(before);
      await page.getByLabel('Blank', { exact: true }).selectOption({ label: 'z' });
      await expect.poll(() => sentence(page)).not.toBe(before);
    }));
});

describe('edits', () => {
  test('are told while the tools are closed, and undone and redone one by one, whatever they were', () =>
    exploreOnCpu(async (page) => {
      const before = await sentence(page);
      const edit = page.getByRole('tab', { name: 'Edit' });
      await edit.click();
      const [undo, redo] = ['Undo', 'Redo'].map((name) => page.getByRole('button', { name, exact: true }));
      expect([await undo!.isDisabled(), await redo!.isDisabled()]).toEqual([true, true]);
      await page.getByLabel('Blank bias').fill('3');
      await page.getByLabel('Temperature').fill('2');
      await page.getByLabel('Blank', { exact: true }).selectOption({ label: 'z' });
      const all = /Edited: blank bias 3\.0, temperature 2\.00, another blank\./;
      await expect.poll(() => sentence(page)).toMatch(all);
      await page.getByRole('tab', { name: 'Cell' }).click();
      expect(await sentence(page)).toMatch(all);
      await page.keyboard.press('Control+z');
      await expect.poll(() => sentence(page)).toMatch(/Edited: blank bias 3\.0, temperature 2\.00\./);
      await page.keyboard.press('Control+z');
      await page.keyboard.press('Control+z');
      await expect.poll(() => sentence(page)).toBe(before);
      for (let i = 0; i < 3; i++) await page.keyboard.press('Control+Shift+z');
      await expect.poll(() => sentence(page)).toMatch(all);
      await page.getByRole('button', { name: 'Undo all' }).click();
      await expect.poll(() => sentence(page)).toBe(before);
    }));

  test('are gone once the recogniser hears another word, which a link carries', () =>
    exploreOnCpu(async (page) => {
      await page.getByRole('tab', { name: 'Edit' }).click();
      await page.getByLabel('Blank bias').fill('3');
      await page.fill('#word', 'help');
      await page.getByRole('button', { name: 'Let it hear help' }).click();
      await expect
        .poll(() => sentence(page))
        .toMatch(
          /^In 12 frames there are [\d,]+ ways to spell help; together they have probability \d[^E]*$/,
        );
      const there = await sentence(page);
      const link = page.url();
      expect(link).toContain('heard=help.12');
      await page.goto('about:blank');
      await page.goto(link);
      await expect.poll(() => sentence(page)).toBe(there);
    }));
});

test('a link that is pasted is followed, and Back and Forward go through what was opened', () =>
  exploreOnCpu(async (page) => {
    const first = await sentence(page);
    await page.evaluate(() => {
      location.hash = '#example=cat&text=cat&bias=1';
    });
    await expect.poll(() => sentence(page)).toMatch(/^In 8 frames .* spell cat.*Edited: blank bias 1\.0/s);
    await page.getByRole('button', { name: 'Examples' }).click();
    await page.getByRole('button', { name: /^hello/ }).click();
    await expect.poll(() => sentence(page)).toBe(first);
    await page.goBack();
    await expect.poll(() => sentence(page)).toMatch(/^In 8 frames .* spell cat/);
    expect(await page.inputValue('#word')).toBe('cat');
    await page.goForward();
    await expect.poll(() => sentence(page)).toBe(first);
  }));

test('what cannot be spelled is told, and so is what the blank takes away', () =>
  exploreOnCpu(async (page) => {
    await page.fill('#word', 'h3llo');
    await expect.poll(() => sentence(page)).toMatch(/ways to spell h3llo without 3 \(no symbol\); together/);
    await page.fill('#word', '你好');
    await expect
      .poll(() => sentence(page))
      .toMatch(/^你好 cannot be spelled: the recogniser has no symbol for 你好\./);
    await page.fill('#word', 'hello');
    await page.getByRole('tab', { name: 'Edit' }).click();
    await page.getByLabel('Blank', { exact: true }).selectOption({ label: 'l' });
    await expect.poll(() => sentence(page)).toMatch(/ways to spell hello without l \(no symbol\);/);
    await page.getByRole('button', { name: 'As they were' }).click();
    await page.fill('#word', 'abcdefghijkl');
    await expect
      .poll(() => sentence(page))
      .toMatch(/^In 12 frames there is 1 way to spell abcdefghijkl; it has probability/);
  }));

test('the lines into a cell are those of the one that was clicked, while the pointer stays', () =>
  explore(
    async (page) => {
      const plot = (await page.locator('#lattice .plot').boundingBox())!;
      // l, in the frame in which it is said
      const [x, y] = [plot.x + (plot.width * 6.5) / 12, plot.y + (plot.height * 5.5) / 11];
      const marks = () =>
        page.locator('canvas.marks').evaluate((canvas: HTMLCanvasElement) => {
          const { width, height } = canvas;
          const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
          copy.drawImage(canvas, 0, 0);
          const { data } = copy.getImageData(0, 0, width, height);
          // around the cell lies the ring of the pointer
          return Array.from({ length: width * height }, (_, i) => {
            const [px, py] = [(i % width) / width, Math.floor(i / width) / height];
            return Math.abs(px - 6.5 / 12) < 0.06 && Math.abs(py - 5.5 / 11) < 0.06 ? 0 : data[4 * i + 3]!;
          }).reduce((sum, alpha, i) => (sum + alpha * ((i % 9973) + 1)) % 1e12, 0);
        });
      await page.mouse.click(x, y);
      await expect.poll(() => says(page, '.where')).toMatch(/^Frame 6/);
      await page.waitForTimeout(300);
      const staying = await marks();
      await page.mouse.move(plot.x + plot.width / 2, plot.y - 200);
      await expect.poll(marks).toBe(staying);
      // without a GPU, what is drawn a second time is smoothed otherwise
    },
    { device: 'cpu' },
  ));

test('layers, lines and scale are chosen', () =>
  exploreOnCpu(async (page) => {
    const legend = () => page.locator('#legend figcaption').last().innerText();
    expect(await legend()).toBe('Path mass, linear');
    await page.keyboard.press('l');
    await expect.poll(legend).toBe('Path mass, log scale');
    await page.getByRole('radio', { name: 'Forward' }).click();
    await expect.poll(legend).toMatch(/Forward α/);
    await page.keyboard.press('ArrowRight');
    await expect.poll(legend).toMatch(/Backward β/);
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('button', { name: /^Gradient/ }).click();
    await expect.poll(legend).toMatch(/Gradient: softmax − posterior/);
    await page.getByRole('button', { name: /^Sampled paths/ }).click();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.url()).toMatch(/layer=gradient&scale=log&samples=8/);
  }));

describe('the picture', () => {
  const spell = (text: string) => [...text].map(classOf);
  const hello = {
    frames: 12,
    classes: letterClasses,
    blank: 0,
    labels: spell('hello'),
    logits: logitsOf('hello', 12),
  };

  /** The lattice as the CPU twin has it, [frames, states]. */
  async function twinOf({ frames, classes, labels, logits }: Problem) {
    const ctc = await CtcLoss.create({ device: 'cpu', reduction: 'none' });
    const kept = ['alpha', 'beta', 'posterior'] as const;
    const task = await ctc.prepare({ logits: [frames, classes], maxTargetLength: labels.length, keep: kept });
    task.setTargets([...labels]);
    const { grad } = await task.run({ logits });
    const layers = await Promise.all(kept.map((layer) => task.read(layer)));
    ctc.destroy();
    return { alpha: layers[0]!, beta: layers[1]!, posterior: layers[2]!, grad };
  }

  /** What is seen at some places of the lattice, in CSS pixels of its plot. */
  async function coloursAt(page: Page, places: readonly (readonly [x: number, y: number])[]): Promise<Rgb[]> {
    const clip = (await page.locator('#lattice .plot').boundingBox())!;
    const picture = (await page.screenshot({ clip })).toString('base64');
    return page.evaluate(
      async ({ picture, places }) => {
        const image = new Image();
        image.src = `data:image/png;base64,${picture}`;
        await image.decode();
        const context = new OffscreenCanvas(image.width, image.height).getContext('2d', {
          willReadFrequently: true,
        })!;
        context.drawImage(image, 0, 0);
        return places.map(([x, y]) => {
          const [r = 0, g = 0, b = 0] = context.getImageData(Math.floor(x), Math.floor(y), 1, 1).data;
          return [r, g, b] as const;
        });
      },
      { picture, places },
    );
  }

  async function choose(page: Page, layer: Layer): Promise<void> {
    const main: Partial<Record<Layer, string>> = {
      posterior: 'Path mass',
      alpha: 'Forward',
      beta: 'Backward',
    };
    const name = main[layer];
    if (name) return page.getByRole('radio', { name }).click();
    await page.getByRole('button', { name: 'More' }).click();
    const entries: Partial<Record<Layer, RegExp>> = { gradient: /^Gradient/, change: /^Change/ };
    await page.getByRole('button', { name: entries[layer]! }).click();
    return page.keyboard.press('Escape');
  }

  const plotOf = async (page: Page) => (await page.locator('#lattice .plot').boundingBox())!;

  type Look = readonly [layer: Layer, scale: 'log' | 'linear'];
  const looks: Record<Theme, Look[]> = {
    light: [
      ['posterior', 'log'],
      ['beta', 'log'],
      ['gradient', 'log'],
      ['change', 'log'],
    ],
    dark: [
      ['posterior', 'linear'],
      ['alpha', 'linear'],
    ],
  };
  test.each(['light', 'dark'] as const)(
    '%s: every cell has the colour of the twin’s value',
    async (theme) => {
      const edits = { ...noEdits, bias: 2 };
      const before = await twinOf(hello);
      const twin = await twinOf({ ...hello, logits: applyEdits(hello.logits, letterClasses, 0, edits) });
      const { frames, classes, labels } = hello;
      const states = 2 * labels.length + 1;
      const own = new Set([0, ...labels]);
      const largest = Math.max(...[...twin.grad].map((x, i) => (own.has(i % classes) ? Math.abs(x) : 0)));
      const cells = Array.from({ length: frames * states }, (_, i) => ({
        t: Math.floor(i / states),
        s: i % states,
      }))
        .filter((cell) => isPossible(hello, cell))
        // not where the selected one is, and what flows into it
        .filter(({ t }) => t > 1);
      expect(cells.length).toBeGreaterThan(50);
      const colourIn = (layer: Layer, scale: 'log' | 'linear', { t, s }: Cell): Rgb => {
        if (layer === 'gradient') {
          const value = twin.grad[t * classes + (s % 2 ? labels[s >> 1]! : 0)]!;
          return colourOf(layer, value / largest, s % 2 ? 'label' : 'blank', theme, scale);
        }
        if (layer === 'change') {
          const at = t * states + s;
          return colourOf(
            layer,
            twin.posterior[at]! - before.posterior[at]!,
            s % 2 ? 'label' : 'blank',
            theme,
            scale,
          );
        }
        const row = twin[layer as 'alpha'].subarray(t * states, (t + 1) * states);
        const most = Math.max(...row.filter((_, s) => isPossible(hello, { t, s })));
        const value = layer === 'posterior' ? row[s]! : Math.exp(row[s]! - most);
        return colourOf(layer, value, s % 2 ? 'label' : 'blank', theme, scale);
      };
      await explore(
        async (page) => {
          const { width, height } = await plotOf(page);
          const places = cells.map(
            ({ t, s }) => [((t + 0.5) * width) / frames, ((s + 0.5) * height) / states] as const,
          );
          for (const [layer, scale] of looks[theme]) {
            await choose(page, layer);
            const expected = cells.map((cell) => colourIn(layer, scale, cell));
            const farthest = async () => {
              const colours = await coloursAt(page, places);
              return Math.max(
                ...colours.flatMap((colour, i) => colour.map((x, k) => Math.abs(x - expected[i]![k]!))),
              );
            };
            await expect.poll(farthest, { timeout: 10_000 }).toBeLessThanOrEqual(2);
          }
        },
        {
          hash: `#text=hello&scale=${looks[theme][0]![1]}&best=0&at=0.0&bias=${edits.bias}`,
          before: (page) => page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' }),
        },
      );
    },
  );

  test('a label that is chosen keeps its colour, the others pale', () =>
    exploreOnCpu(
      async (page) => {
        const { width, height } = await plotOf(page);
        const places = [1, 3].map((s) => [(2.5 * width) / 12, ((s + 0.5) * height) / 11] as const);
        const before = await coloursAt(page, places);
        await page.getByRole('button', { name: 'Frames of label 1, h' }).click();
        const distance = (a: Rgb, b: Rgb) => Math.max(...a.map((x, k) => Math.abs(x - b[k]!)));
        await expect
          .poll(async () =>
            (await coloursAt(page, places)).map((colour, i) => distance(colour, before[i]!) > 20),
          )
          .toEqual([false, true]);
      },
      { hash: '#text=hello&scale=log&best=0&at=0.0' },
    ));

  test('zoomed out, no peak vanishes', async () => {
    const [frames, classes] = [2000, letterClasses];
    const { logits, text } = wideProblem(frames, 400);
    const labels = spell(text);
    const states = 2 * labels.length + 1;
    const { posterior } = await twinOf({ logits, frames, classes, blank: 0, labels });
    await explore(
      async (page) => {
        const { width, height } = await plotOf(page);
        const [perX, perY] = [frames / width, states / height];
        expect(Math.min(perX, perY)).toBeGreaterThan(1);
        const peaks: { place: [number, number]; least: number }[] = [];
        const card = colourOf('posterior', 0, 'label', 'light', 'log');
        const fromCard = (colour: Rgb) => colour.reduce((sum, x, k) => sum + Math.abs(x - card[k]!), 0);
        for (let t = 50; t < frames; t += 23) {
          const row = posterior.subarray(t * states, (t + 1) * states);
          const s = row.indexOf(Math.max(...row));
          const place: [number, number] = [Math.floor(t / perX), Math.floor(s / perY)];
          // a blank's colour is the one nearer to the card
          peaks.push({ place, least: fromCard(colourOf('posterior', row[s]!, 'blank', 'light', 'log')) });
        }
        const short = async () => {
          const seen = await coloursAt(
            page,
            peaks.map(({ place }) => place),
          );
          return peaks.filter(({ least }, i) => fromCard(seen[i]!) < least - 12).length;
        };
        await expect.poll(short, { timeout: 20_000 }).toBe(0);
        expect(peaks.length).toBeGreaterThan(80);
      },
      { hash: `#example=wide&text=${text}&best=0&at=0.0` },
    );
  });
});

describe('one state', () => {
  test('its sums add up, and alpha times beta is the same in every frame', () =>
    explore(async (page) => {
      await page.getByText('Show the sum').click();
      await expect.poll(() => says(page, '.terms')).toContain('Gradient of');
      for (const [key, frame] of [
        ['ArrowLeft', 6],
        ['ArrowLeft', 5],
        ['ArrowUp', 5],
        ['End', 11],
      ] as const) {
        await page.locator('#grid [tabindex="0"]').press(key);
        await expect.poll(() => says(page, '.terms')).toContain(`Σ α · β in frame ${frame}`);
        const [, sum, all] = (await says(page, '.terms')).match(
          /Σ α · β in frame \d+\s+(.*)\nP, all paths\s+(.*)\n/,
        )!;
        expect(sum!.trim()).toBe('9.7 %');
        expect(all!.trim()).toBe('9.7 %');
      }
    }));

  test('a click pins it, by keyboard one walks to the second l and hears why it needs the blank', () =>
    exploreOnCpu(async (page) => {
      const box = (await page.locator('#lattice .plot').boundingBox())!;
      await page.mouse.click(box.x + box.width * (2.5 / 12), box.y + box.height * (1.5 / 11));
      await expect.poll(() => says(page, '.where')).toBe('Frame 2, h');
      // focus is in the grid now
      for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowDown');
      for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowRight');
      await expect.poll(() => says(page, '.where')).toBe('Frame 6, the second l');
      await expect
        .poll(() => page.locator('#spoken').textContent())
        .toMatch(
          /^Frame 6, the second l: .* of the path mass\. To reach the second l, a path must first rest on the blank before it\./,
        );
      const focused = page.locator('#grid :focus');
      expect(await focused.getAttribute('aria-colindex')).toBe('7');
      expect(await focused.textContent()).toBe('the second l, frame 6');
    }));

  test('a label shows the frames that carry it', () =>
    exploreOnCpu(async (page) => {
      await page.getByRole('button', { name: 'Frames of label 2, e' }).click();
      await expect.poll(() => page.url()).toMatch(/label=1/);
      await page.getByRole('button', { name: 'Frames of label 2, e' }).click();
      await expect.poll(() => page.url()).not.toMatch(/label=/);
    }));
});

describe('sharing', () => {
  test('a link brings back what was seen, and what it holds stays text', () =>
    exploreOnCpu(
      async (page) => {
        const seen = async () => ({
          sentence: await sentence(page),
          where: await says(page, '.where'),
          backward: await page.getByRole('radio', { name: 'Backward' }).getAttribute('aria-checked'),
          hash: new URL(page.url()).hash,
        });
        const first = await seen();
        expect(first).toMatchObject({ where: 'Frame 3, c', backward: 'true' });
        await page.getByRole('button', { name: 'Share' }).click();
        await expect.poll(() => says(page, '#notice')).toMatch(/^The link to what you see/);
        await page.reload();
        await settled(page);
        await expect.poll(seen).toEqual(first);

        const markup = '<img src=x onerror=alert(1)>';
        await page.fill('#word', markup);
        await page.reload();
        await settled(page);
        await expect.poll(() => page.inputValue('#word')).toBe(markup);
        await expect.poll(() => sentence(page)).toMatch(/imgsrcxonerroralert|<img src=x/);
        expect(await page.locator('#sentence img').count()).toBe(0);

        await page.fill('#word', 'c'.repeat(2000));
        await page.getByRole('button', { name: 'Share' }).click();
        await expect.poll(() => says(page, '#notice')).toMatch(/^This link would be 2,\d+ characters long/);
      },
      { hash: '#example=cat&text=cut&layer=beta&scale=linear&best=0&at=3.1&bias=1.5&paint=21_2_5_0.8' },
    ));
});

test('a link that paints for ever paints what there is', () =>
  exploreOnCpu(
    async (page) => {
      const link = new URLSearchParams(new URL(page.url()).hash.slice(1));
      expect(link.get('blank')).toBe(null);
      expect(link.get('paint')).toBe('1_0_12_0.5');
      expect(await sentence(page)).toMatch(/hello/);
    },
    { hash: '#text=hello&paint=1_0_9007199254740991_0.5~1_0_999999_0.5~26000_0_5_0.5&blank=27' },
  ));

test('a spoken sentence, and a lattice too wide to see at once', () =>
  exploreOnCpu(async (page) => {
    const example = async (name: string | RegExp) => {
      await page.getByRole('button', { name: 'Examples' }).click();
      await page.locator('#examples').getByRole('button', { name }).click();
    };
    await example(/hello hello/);
    await expect.poll(() => sentence(page), { timeout: 20_000 }).toMatch(/ways to spell hello hello little/);
    await expect.poll(() => page.locator('#reading').textContent()).toMatch(/h e l l o/);
    await example(/2000 × 400/);
    await expect.poll(() => sentence(page), { timeout: 60_000 }).toMatch(/In 2,000 frames/);
    await expect.poll(() => page.locator('#map').isVisible()).toBe(true);
    await expect.poll(() => page.locator('#stage').getAttribute('class')).toBe('wide');
    expect(await page.locator('#emissions').isVisible()).toBe(false);
    // from close by there are the scores too, and they are those of the frames that are seen
    for (let i = 0; i < 3; i++) {
      await page.getByRole('button', { name: 'Zoom in' }).click();
    }
    await expect.poll(() => page.locator('#emissions').isVisible()).toBe(true);
    expect((await page.locator('#emissions .plot').boundingBox())!.height).toBeGreaterThan(100);
    const colours = () =>
      page.locator('#emissions canvas').evaluate((canvas: HTMLCanvasElement) => {
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')!;
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
      });
    await expect.poll(colours).toBeGreaterThan(20);
    await page.getByRole('button', { name: 'Fit', exact: true }).click();
    await expect.poll(() => page.locator('#emissions').isVisible()).toBe(false);
  }));

test('a lattice that is looked at from near follows the path, and has its own buttons', () =>
  exploreOnCpu(
    async (page) => {
      const labels = () => page.locator('#lattice .gutter').innerText();
      await expect.poll(labels).toMatch(/^f 1\n/);
      for (let i = 0; i < 4; i++) await page.getByRole('button', { name: 'Zoom in' }).click();
      const near = await labels();
      expect(near).not.toMatch(/^f 1\n/);
      // time is moved, the states go along
      const { x, y, width, height } = (await page.locator('#lattice .plot').boundingBox())!;
      await page.mouse.move(x + width / 2, y + height / 2);
      await page.mouse.down();
      await page.mouse.move(x + width / 2 - 300, y + height / 2, { steps: 3 });
      await page.mouse.up();
      await expect.poll(labels).not.toBe(near);
      await page.getByRole('button', { name: 'More' }).click();
      const follow = page.getByRole('button', { name: /^Follow the path/ });
      expect(await follow.getAttribute('aria-pressed')).toBe('true');
      await follow.click();
      await expect.poll(() => page.url()).toMatch(/follow=0/);
      await page.keyboard.press('Escape');
      const free = await labels();
      await page.mouse.move(x + width / 2, y + height / 2);
      await page.mouse.down();
      await page.mouse.move(x + width / 2, y + height / 2 - 100, { steps: 3 });
      await page.mouse.up();
      await expect.poll(labels).not.toBe(free);
      await page.getByRole('button', { name: 'Fit', exact: true }).click();
      await expect.poll(labels).toMatch(/^f 1\n/);
    },
    {
      hash: '#example=score&text=four+score+and+seven+years+ago+our+fathers+brought+forth+a+new+nation&at=0.0',
    },
  ));

test('some frames of a recording alone: their labels, their numbers, and the way to others', () =>
  exploreOnCpu(
    async (page) => {
      await expect.poll(() => sentence(page)).toMatch(/^In 100 frames .* spell .*seven/);
      const [from, to] = ['From, in seconds', 'To, in seconds'].map((name) => page.getByLabel(name));
      expect([await from!.inputValue(), await to!.inputValue()]).toEqual(['1.6', '3.6']);
      expect(await says(page, '.where')).toMatch(/^Frame 8\d/);
      await page.getByRole('button', { name: 'Later' }).click();
      await expect.poll(() => from!.inputValue()).toBe('3.4');
      await expect.poll(() => page.url()).toMatch(/window=170\.270/);
      await page.getByRole('button', { name: 'Earlier' }).click();
      await expect.poll(() => page.url()).toMatch(/window=80\.180/);
      await expect.poll(() => from!.inputValue()).toBe('1.6');
      await to!.fill('2');
      await to!.press('Enter');
      await expect.poll(() => sentence(page)).toMatch(/^In 20 frames/);
      await page.getByRole('tab', { name: 'Labels' }).click();
      await expect.poll(() => page.locator('.labels tbody td').first().innerText()).toMatch(/^1\.\d\d–/);
      await page.getByRole('button', { name: 'All', exact: true }).click();
      await expect.poll(() => sentence(page)).toMatch(/^In 325 frames/);
      // where one has zoomed in, these frames are a button away
      expect(await page.getByRole('button', { name: 'Only these frames' }).isVisible()).toBe(false);
      for (let i = 0; i < 2; i++) await page.getByRole('button', { name: 'Zoom in' }).click();
      // once the view rests
      await expect
        .poll(async () => {
          const before = page.url();
          await page.waitForTimeout(500);
          return page.url() === before ? before : undefined;
        })
        .toMatch(/view=\d/);
      // and a link shows them
      const [, first, end] = /view=(\d+)(?:\.\d)?_(\d+)/.exec(page.url())!;
      const seen = await says(page, '#lattice .gutter');
      await page.goto('about:blank');
      await page.goBack();
      await settled(page);
      await expect.poll(() => says(page, '#lattice .gutter')).toBe(seen);
      await page.getByRole('button', { name: 'Only these frames' }).click();
      await expect
        .poll(() => page.url())
        .toMatch(new RegExp(`window=${first}\\.${Number(end) + 1}|window=${first}\\.${end}`));
    },
    {
      hash: '#example=score&text=four+score+and+seven+years+ago+our+fathers+brought+forth+a+new+nation&window=80.180',
    },
  ));

test('on a phone: the lattice, a sheet, and the rest behind one button', () =>
  exploreOnCpu(
    async (page) => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
      const box = async (selector: string) => (await page.locator(selector).boundingBox())!;
      expect((await box('#lattice')).height).toBeGreaterThan(0.4 * 740);
      expect((await box('#emissions')).height).toBeLessThanOrEqual(26);
      await page.locator('#emissions .plot').click();
      await expect.poll(async () => (await box('#emissions')).height).toBeGreaterThan(100);
      await page.locator('.handle').click();
      await expect.poll(async () => (await box('#inspector')).height).toBeGreaterThan(300);
      await page.locator('.handle').click();
      // what is edited stays in sight
      await page.locator('.handle').click();
      await page.getByRole('tab', { name: 'Edit' }).click();
      const panel = await box('#inspector');
      for (const part of ['#emissions', '#lattice', '#strip']) {
        const { y, height } = await box(part);
        expect(height).toBeGreaterThan(40);
        expect(y + height).toBeLessThanOrEqual(panel.y);
      }
      await page.locator('.handle').click();
      await expect.poll(async () => (await box('#inspector')).height).toBeLessThan(80);
      await page.getByRole('button', { name: 'More controls' }).click();
      await page.getByRole('radio', { name: 'Forward' }).click();
      await expect.poll(() => page.url()).toMatch(/layer=alpha/);
    },
    { viewport: { width: 360, height: 740 } },
  ));

test('without WebGPU the CPU computes, a 2D canvas draws, and a line says why', () =>
  explore(
    async (page) => {
      expect(await says(page, '#backend')).toMatch(/Computed on the CPU.*navigator\.gpu/);
      expect(await sentence(page)).toMatch(/8,008 ways/);
      const colours = await page.locator('canvas.cells').evaluate((canvas) => {
        const { width, height } = canvas as HTMLCanvasElement;
        const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
        return new Set(new Uint32Array(data.buffer)).size;
      });
      expect(colours).toBeGreaterThan(20);
    },
    {
      gpu: false,
      before: (page) =>
        page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined })),
    },
  ));

describe('for everyone', () => {
  test('axe has nothing to say in light, dark and forced colours', () =>
    exploreOnCpu(
      async (page) => {
        const inAllColours = async (part?: string) => {
          for (const [colorScheme, forcedColors] of [
            ['light', 'none'],
            ['dark', 'none'],
            ['light', 'active'],
          ] as const) {
            await page.emulateMedia({ colorScheme, forcedColors });
            expect(await complaintsOf(page, part), `${colorScheme}, forced: ${forcedColors}`).toEqual([]);
          }
        };
        await inAllColours();
        await page.getByText('Show the sum').click();
        for (const [tab, content] of [
          ['Paths', 'ol.ways'],
          ['Loss', '.readings details .rivals'],
          ['Labels', '.labels'],
          ['Edit', '#panel-edit select'],
        ] as const) {
          await page.getByRole('tab', { name: tab }).click();
          await page.locator(content).waitFor();
          await inAllColours('#inspector');
        }
        await page.getByRole('button', { name: 'More' }).click();
        await inAllColours();
      },
      { hash: '#text=hello&words=help' },
    ));

  test('a window that is zoomed in, or a phone on its side: the lattice has room', () =>
    exploreOnCpu(
      async (page) => {
        const plot = (await page.locator('#lattice .plot').boundingBox())!;
        expect(plot.height).toBeGreaterThan(150);
        expect(await complaintsOf(page)).toEqual([]);
        await page.getByRole('gridcell').first().waitFor();
        expect(await says(page, '#inspector')).toContain('of the path mass');
      },
      { viewport: { width: 640, height: 400 } },
    ));

  test.each([
    [1280, 800],
    [1024, 700],
    [360, 740],
  ])('a long word that has no path is explained to the end, at %d × %d', (width, height) =>
    exploreOnCpu(
      async (page) => {
        const word = 'wmwm'.repeat(10);
        await page.fill('#word', word);
        await expect.poll(() => sentence(page)).toMatch(/needs at least 40 frames/);
        const { x, y, ...size } = (await page.locator('#sentence').boundingBox())!;
        for (const part of await page.locator('#sentence > *').all()) {
          const box = (await part.boundingBox())!;
          expect(box.x + box.width).toBeLessThanOrEqual(x + size.width);
          expect(box.y + box.height).toBeLessThanOrEqual(y + size.height);
          const [wide, seen] = await part.evaluate((e) => [
            e.scrollWidth,
            Math.ceil(e.getBoundingClientRect().width),
          ]);
          expect(wide).toBeLessThanOrEqual(seen!);
        }
        expect((await page.locator('#stage').boundingBox())!.y).toBeGreaterThanOrEqual(y + size.height - 1);
      },
      { viewport: { width, height } },
    ),
  );

  test('labels are chosen from the keyboard', () =>
    exploreOnCpu(async (page) => {
      const focused = () => page.evaluate(() => document.activeElement?.ariaLabel);
      const gutter = page.locator('#lattice .gutter button');
      expect(
        await gutter.evaluateAll((all) => all.filter((e) => (e as HTMLElement).tabIndex === 0).length),
      ).toBe(1);
      await gutter.first().focus();
      await page.keyboard.press('ArrowUp');
      expect(await focused()).toBe('Frames of label 1, h');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await expect.poll(() => page.url()).toMatch(/label=1/);
      // it keeps the focus, and Tab comes back to it
      expect(await focused()).toBe('Frames of label 2, e');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Shift+Tab');
      expect(await focused()).toBe('Frames of label 2, e');
      await page.keyboard.press('End');
      expect(await focused()).toBe('Frames of label 5, o');
    }));

  test('where colours are forced, those that say something stay', () =>
    exploreOnCpu(async (page) => {
      const looks = () =>
        page.evaluate(() => {
          const style = (selector: string, pseudo?: string) =>
            getComputedStyle(document.querySelector(selector)!, pseudo);
          return {
            ramp: style('#legend .ramp').backgroundImage,
            hatch: style('#legend .hatch').backgroundImage,
            blank: style('#legend .blank').backgroundColor,
            // what is for the ear alone
            cell: style('#grid [role="gridcell"]').color,
          };
        });
      await page.getByRole('gridcell').first().waitFor();
      const before = await looks();
      await page.emulateMedia({ forcedColors: 'active' });
      expect(await looks()).toEqual(before);
      const borders = (selected: boolean) =>
        page
          .locator(`#tabs [aria-selected="${selected}"]`)
          .first()
          .evaluate((tab) => getComputedStyle(tab).border);
      expect(await borders(true)).not.toBe(await borders(false));
      // icons have the colour of text on buttons
      const icons = await page.evaluate(() => {
        const of = (selector: string, pseudo?: string) =>
          getComputedStyle(document.querySelector(selector)!, pseudo);
        const text = of('#examples button').color;
        return [
          of('#play', '::before').backgroundColor,
          of('#examples button', '::after').backgroundColor,
        ].map((colour) => colour === text);
      });
      expect(icons).toEqual([true, true]);
    }));

  test('a GPU process that crashed has wiped the canvases: they are drawn anew', () =>
    explore(
      async (page) => {
        const canvas = page.locator('#emissions canvas');
        const seen = () => canvas.evaluate((element: HTMLCanvasElement) => element.toDataURL());
        await drawn(page);
        const before = await seen();
        // until then the canvas may still show what it did, or be empty
        const restored = canvas.evaluate(
          (element) =>
            new Promise<void>((resolve) => {
              element.addEventListener('contextrestored', () => resolve(), { once: true });
            }),
        );
        const browser = await page.context().browser()!.newBrowserCDPSession();
        await browser.send('Browser.crashGpuProcess');
        await restored;
        await expect.poll(seen, { timeout: 20_000 }).toBe(before);
      },
      { device: 'cpu', alone: true, expected: [/lost|destroyed|gpu|context/i] },
    ));

  test('axe has nothing to say on a phone', () =>
    exploreOnCpu(
      async (page) => {
        expect(await complaintsOf(page)).toEqual([]);
        await page.getByRole('button', { name: 'More controls' }).click();
        expect(await complaintsOf(page)).toEqual([]);
      },
      { viewport: { width: 360, height: 740 } },
    ));

  test('the wheel is the page’s until the lattice has focus; a drag pans', () =>
    exploreOnCpu(async (page) => {
      const labels = () => page.locator('#lattice .gutter').evaluate(({ children }) => children.length);
      const box = (await page.locator('#lattice .plot').boundingBox())!;
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await page.mouse.wheel(0, -600);
      await page.waitForTimeout(200);
      expect(await labels()).toBe(11);
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      await page.mouse.wheel(0, -600);
      await expect.poll(labels).toBeLessThan(8);
      // a drag shows what lies beside, and selects nothing
      const first = () =>
        page.locator('#lattice .gutter').evaluate(({ firstChild }) => firstChild!.textContent);
      const [at, selected] = [await first(), await says(page, '.where')];
      await page.mouse.down();
      await page.mouse.move(box.x + box.width / 2, box.y + box.height - 10, { steps: 5 });
      await page.mouse.up();
      await expect.poll(first).not.toBe(at);
      expect(await says(page, '.where')).toBe(selected);
      await page.keyboard.press('0');
      await expect.poll(labels).toBe(11);
    }));
});

test('a content security policy keeps everything on the page’s own origin', () =>
  exploreOnCpu(
    async (page) => {
      const outcome = await page.evaluate(() => fetch('http://127.0.0.1:9/').then(String, () => 'refused'));
      expect(outcome).toBe('refused');
      const policy = await page.getAttribute('meta[http-equiv="Content-Security-Policy"]', 'content');
      expect(policy).toMatch(/^default-src 'self';/);
    },
    { expected: [/Content Security Policy/] },
  ));

describe('a lost device', () => {
  test('is replaced, and the page says so', () =>
    explore(
      async (page) => {
        const before = await sentence(page);
        await page.evaluate(() => (globalThis as unknown as { devices: GPUDevice[] }).devices[0]!.destroy());
        await expect.poll(() => says(page, '#notice')).toMatch(/graphics device was lost/);
        await page.fill('#word', 'help');
        await expect.poll(() => sentence(page), { timeout: 30_000 }).toContain('ways to spell help');
        await page.fill('#word', 'hello');
        await expect.poll(() => sentence(page), { timeout: 30_000 }).toBe(before);
      },
      {
        alone: true,
        expected: [/lost|destroyed/i],
        before: (page) =>
          page.addInitScript(() => {
            const devices: GPUDevice[] = [];
            Object.assign(globalThis, { devices });
            const { requestDevice } = GPUAdapter.prototype;
            GPUAdapter.prototype.requestDevice = async function (...args) {
              const device = await requestDevice.apply(this, args);
              devices.push(device);
              return device;
            };
          }),
      },
    ));

  test('with the whole GPU process', () =>
    explore(
      async (page) => {
        const before = await sentence(page);
        const browser = await page.context().browser()!.newBrowserCDPSession();
        await browser.send('Browser.crashGpuProcess');
        await expect
          .poll(() => says(page, '#notice'), { timeout: 30_000 })
          .toMatch(/graphics device was lost/);
        await page.fill('#word', 'help');
        await expect.poll(() => sentence(page), { timeout: 30_000 }).toContain('ways to spell help');
        await page.fill('#word', 'hello');
        await expect.poll(() => sentence(page), { timeout: 30_000 }).toBe(before);
      },
      { alone: true, expected: [/lost|destroyed|gpu|context|no longer exists/i] },
    ));
});
