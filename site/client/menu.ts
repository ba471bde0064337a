/**
 * On a narrow window the list of pages is shown by a button. Without this script the button is a link to the list, which is then open.
 */
export function addMenu(): void {
  const link = document.querySelector<HTMLAnchorElement>('#site-menu');
  const list = document.querySelector<HTMLElement>('#site-pages');
  if (!link || !list) return;
  const current = list.querySelector<HTMLElement>('[aria-current]');
  // beside the text the list scrolls by itself: the page that is shown may be far down in it
  if (current && list.scrollHeight > list.clientHeight)
    list.scrollTop = current.offsetTop - list.clientHeight / 3;
  const button = document.createElement('button');
  button.type = 'button';
  button.id = link.id;
  button.textContent = link.textContent;
  button.setAttribute('aria-controls', list.id);
  link.replaceWith(button);
  const show = (isOpen: boolean) => {
    document.body.classList.toggle('menu-open', isOpen);
    button.setAttribute('aria-expanded', String(isOpen));
  };
  document.body.classList.add('with-menu');
  show(false);
  button.addEventListener('click', () => show(button.getAttribute('aria-expanded') === 'false'));
  list.addEventListener('click', ({ target }) => {
    if (target instanceof Element && target.closest('a')) show(false);
  });
  addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || button.getAttribute('aria-expanded') === 'false') return;
    show(false);
    button.focus();
  });
}
