export const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;

let hiding = 0;

/** A line that goes by itself. */
export function notify(message: string): void {
  const notice = byId('notice');
  notice.textContent = message;
  notice.hidden = false;
  clearTimeout(hiding);
  hiding = window.setTimeout(() => {
    notice.hidden = true;
  }, 8000);
}
