// In the page where an example runs: takes the example as HTML from the page around it, and tells that page what it prints.
(() => {
  const tell = (message) => parent.postMessage(message, location.origin);

  /** A value as Node prints it, as far as examples need it. */
  const shown = (value, isInside = false) => {
    if (typeof value === 'string') return isInside ? `'${value.replaceAll("'", "\\'")}'` : value;
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
    if (value instanceof Error) return isInside ? `[${value}]` : String(value);
    const list = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
    if (list) {
      const name = Array.isArray(value) ? '' : `${value.constructor.name}(${value.length}) `;
      const first = Array.from(value.slice(0, 100), (one) => shown(one, true));
      if (value.length > 100) first.push(`... ${value.length - 100} more items`);
      return `${name}${first.length ? `[ ${first.join(', ')} ]` : '[]'}`;
    }
    const kind = value.constructor && value.constructor !== Object ? `${value.constructor.name} ` : '';
    const fields = Object.entries(value).map(([key, one]) => `${key}: ${shown(one, true)}`);
    return `${kind}${fields.length ? `{ ${fields.join(', ')} }` : '{}'}`;
  };

  for (const kind of ['log', 'info', 'warn', 'error']) {
    const print = console[kind];
    console[kind] = (...values) => {
      print.apply(console, values);
      tell({
        kind: kind === 'error' ? 'error' : 'line',
        text: values.map((value) => shown(value)).join(' '),
      });
    };
  }

  addEventListener('message', ({ source, origin, data }) => {
    if (source !== parent || origin !== location.origin || typeof data?.run !== 'string') return;
    document.open();
    // `document.open` takes the listeners of the window away, and so these are new
    addEventListener('error', ({ message, error }) =>
      tell({ kind: 'error', text: String(error ?? message) }),
    );
    addEventListener('unhandledrejection', ({ reason }) => tell({ kind: 'error', text: String(reason) }));
    globalThis.exampleEnded = () => tell({ kind: 'end', shown: document.body?.innerText.trim() ?? '' });
    document.write(data.run);
    document.close();
  });
  tell({ kind: 'ready' });
})();
