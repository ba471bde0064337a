// A line that goes from the page that reads to the explorer: both are in one tab, one after the other.

/** The explorer looks for it before it loads this. */
const key = 'line';

/** Opens the explorer with a picture. */
export function handOver(name: string, picture: HTMLCanvasElement): void {
  sessionStorage.setItem(key, JSON.stringify({ name, url: picture.toDataURL('image/png') }));
  location.href = `./index.html${location.search}`;
}

/** The picture that was handed over, once. */
export function handedOver(): File | undefined {
  const kept = sessionStorage.getItem(key);
  if (!kept) return undefined;
  sessionStorage.removeItem(key);
  const { name, url } = JSON.parse(kept) as { name: string; url: string };
  const bytes = Uint8Array.from(atob(url.split(',')[1]!), (sign) => sign.charCodeAt(0));
  return new File([bytes], name, { type: 'image/png' });
}
