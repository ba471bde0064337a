/** Values that nobody should pass, by name, and what an error about one of them must be. */
import { expect } from 'vitest';

const cyclic: unknown[] = [];
cyclic.push(cyclic);
const { proxy: revoked, revoke } = Proxy.revocable([], {});
revoke();
const endless: Record<string, unknown> = {};
endless.self = endless;

export const nasty: Readonly<Record<string, unknown>> = {
  null: null,
  'a symbol': Symbol('s'),
  'a function': function secret() {},
  'a BigInt': 10n,
  'a string': 'x',
  'a long string': 'x'.repeat(10_000),
  NaN: Number.NaN,
  'a fraction': -1.5,
  'an object': {},
  'an object of no class': Object.create(null),
  'an object that contains itself': endless,
  'an object of a class': new (class Thing {})(),
  'a Map': new Map(),
  'a list that contains itself': cyclic,
  'a list of objects': [{}, { a: 1 }],
  'a list of symbols': [Symbol('a'), Symbol('b'), Symbol('c')],
  'a deep list': [[[[[[1]]]]]],
  'a proxy that was revoked': revoked,
  'a proxy of an array': new Proxy(new Float32Array(40), {}),
  'an ArrayBuffer': new ArrayBuffer(160),
  'a DataView': new DataView(new ArrayBuffer(160)),
  'a wrong array': new Float64Array(40),
  'what looks like a buffer': { mapAsync() {}, usage: 255, size: 4096 },
  'a range of what looks like a buffer': { buffer: { mapAsync() {}, usage: 255, size: 4096 }, offset: 0 },
  'a range of no buffer': { buffer: 3, offset: 0 },
  'what looks like a device': { createBuffer() {} },
  'what looks like an encoder': { beginComputePass() {} },
};

/** Calls with each but those that are fine; the error must name the argument and show what came, in one line that a reader can take in. */
export async function expectNamed(
  argument: string,
  call: (value: unknown) => unknown,
  fine: (what: string, value: unknown) => boolean = () => false,
): Promise<void> {
  for (const [what, value] of Object.entries(nasty)) {
    const error = await new Promise((resolve) => resolve(call(value))).then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    const which = `${argument}: ${what}`;
    if (fine(what, value)) continue;
    if (!error) expect.fail(`${which} was taken`);
    expect(['TypeError', 'RangeError'], `${which}: ${error.stack}`).toContain(error.constructor.name);
    // the argument itself, or a part of it
    const names = `^${argument.replace(/\W/g, '\\$&')}\\b.*: expected .*[,;] got .`;
    expect(error.message, which).toMatch(
      new RegExp(
        `${names}|^expected exactly one of logits, logProbs and probs, got none$|since ${argument} is flat`,
        's',
      ),
    );
    expect(error.message, which).not.toMatch(/\bundefined [^(]|of undefined|secret|\[object/);
    expect(error.message.length, which).toBeLessThan(500);
  }
}
