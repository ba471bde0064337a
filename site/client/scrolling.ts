/** What is wider than the page is scrolled by itself, from the keyboard too: then, and only then, it can be focused. */
export function addTables(): void {
  const name = (element: Element) => (element.matches('.table') ? 'Table' : 'Code');
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const isWide = target.scrollWidth > target.clientWidth + 1;
      if (isWide === target.hasAttribute('tabindex')) continue;
      if (isWide) {
        target.setAttribute('tabindex', '0');
        target.setAttribute('role', 'group');
        target.setAttribute('aria-label', `${name(target)}, can be scrolled sideways`);
      } else for (const attribute of ['tabindex', 'role', 'aria-label']) target.removeAttribute(attribute);
    }
  });
  for (const element of document.querySelectorAll('.table, pre')) observer.observe(element);
}
