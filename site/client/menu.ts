/**
 * On a narrow window the list of pages is shown by a button. Without this script the button is a link to the list, which is then open.
 */
export function addMenu(): void {
  const link = document.querySelector<HTMLAnchorElement>('#menu-button');
  const list = document.querySelector<HTMLElement>('#pages');
  if (!link || !list) return;
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
