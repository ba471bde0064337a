// What axe finds wrong in a page. It runs in the page itself, once it is there, without frames of other origins: that is all that our pages are,
// and takes half the time of `@axe-core/playwright`.
import axe from 'axe-core';
import type { Page } from 'playwright';

/** In a part of the page or in all of it, but for frames: a rule and the elements that break it. */
export async function complaintsOf(page: Page, part = ':root'): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  return page.evaluate(async (include) => {
    const here = (globalThis as unknown as { axe: typeof axe }).axe;
    const options = { resultTypes: ['violations' as const], iframes: false };
    const { violations } = await here.run({ include: [include], exclude: ['iframe'] }, options);
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }, part);
}
