/** Where a page is to compute: what `?device=gpu` or `cpu` in its address asks for, to compare; else `auto`. */
export function wantedDevice(): 'auto' | 'gpu' | 'cpu' {
  const wanted = new URLSearchParams(location.search).get('device');
  return wanted === 'gpu' || wanted === 'cpu' ? wanted : 'auto';
}
