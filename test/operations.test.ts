/** What every operation promises to whoever uses it. Runs on the sources, and once more on the packed build. */
import { describe, expect, test } from 'vitest';
import * as lm from 'webgpu-ctc/lm';
import * as library from 'webgpu-ctc/node';
import { sharedDevice } from './device.js';
import {
  type AnyTask,
  everyOperation,
  type Given,
  inputOf,
  type OperationSize,
  prepareTask,
  resultsOf,
  roomOf,
  runInstance,
  setOn,
  taskInputOf,
} from './operations.js';

const gpu = await sharedDevice();
const { device } = gpu;

const size: OperationSize = { frames: 6, sequences: 3, classes: 5, labels: 3 };
const count = size.frames * size.sequences * size.classes;
const scoresOf = (seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * i * 0.37 + seed * (i + 1)) * 2 - 3);
const first: Given = { targets: [[1, 2, 2], [4], [3, 1]], inputLengths: [6, 3, 5] };
const second: Given = { targets: [[2], [3, 4, 1], []], inputLengths: [2, 6, 4] };

test('classes are called what they are exported as', () => {
  const classes = Object.entries({ ...library, ...lm }).filter(([, it]) => /^class\b/.test(String(it)));
  expect(classes.map(([name]) => name)).toEqual(
    expect.arrayContaining(['CtcError', ...everyOperation.map(([name]) => name)]),
  );
  for (const [name, it] of classes) expect((it as { name: string }).name).toBe(name);
});

describe.each(everyOperation)('%s', (name, operation) => {
  const room = roomOf(operation, size);
  const results = (result: Readonly<Record<string, unknown>>) => resultsOf(operation, size, result);
  const alone = async (kind: 'gpu' | 'cpu', given: Given, logits: Float32Array) => {
    const instance = await operation.create({ device: kind === 'gpu' ? device : kind });
    const result = await runInstance(instance, inputOf(operation, size, given, logits));
    instance.destroy();
    return results(result);
  };
  /** Buffers for its outputs, and what is in them some time. */
  const outputs = () => {
    const buffers = Object.entries(operation.outputs(size)).map(
      ([key, bytes]) => [key, gpu.buffer(bytes)] as const,
    );
    const read = async () =>
      results(
        Object.fromEntries(
          await Promise.all(buffers.map(async ([key, buffer]) => [key, await gpu.read(buffer)] as const)),
        ),
      );
    return { buffers: Object.fromEntries(buffers), read };
  };

  test.each(['gpu', 'cpu'] as const)('one batch is what a prepared task makes of it: %s', async (kind) => {
    const instance = await operation.create({ device: kind === 'gpu' ? device : kind });
    const task = await prepareTask(instance, room);
    for (const given of [first, second, first]) {
      setOn(task, given);
      const result = await task.run(taskInputOf(operation, scoresOf(1)));
      expect(results(result)).toEqual(await alone(kind, given, scoresOf(1)));
      expect(result.backend).toEqual(task.backend);
    }
    expect(await alone(kind, first, scoresOf(1))).not.toEqual(await alone(kind, second, scoresOf(1)));
    instance.destroy();
  });

  test('buffers in are buffers out: given ones, or new ones', async () => {
    const instance = await operation.create({ device });
    const task = await prepareTask(instance, room);
    setOn(task, first);
    const expected = await alone('gpu', first, scoresOf(1));
    const input = taskInputOf(operation, gpu.buffer(scoresOf(1)));
    const { buffers, read } = outputs();
    expect(await task.run({ ...input, ...buffers })).toMatchObject(buffers);
    expect(await read()).toEqual(expected);
    const made = await task.run(input);
    const there = Object.keys(buffers).map(
      async (key) => [key, await gpu.read(made[key] as GPUBuffer)] as const,
    );
    expect(results(Object.fromEntries(await Promise.all(there)))).toEqual(expected);
    instance.destroy();
  });

  test("buffers in are arrays out with results: 'host'", async () => {
    const instance = await operation.create({ device });
    const task = await prepareTask(instance, room);
    setOn(task, first);
    const expected = await alone('gpu', first, scoresOf(1));
    const toHost = { ...taskInputOf(operation, gpu.buffer(scoresOf(1))), results: 'host' };
    const ofTask = await task.run(toHost);
    const ofArrays = await task.run(taskInputOf(operation, scoresOf(1)));
    // with all that only results on the host have: scores of paths, readings
    expect(ofTask).toEqual(ofArrays);
    expect(results(ofTask)).toEqual(expected);
    const input = inputOf(operation, size, first, gpu.buffer(scoresOf(1)));
    expect(results(await runInstance(instance, { ...input, results: 'host' }))).toEqual(expected);
    const arrays = inputOf(operation, size, first, scoresOf(1));
    expect(results(await runInstance(instance, { ...arrays, results: 'host' }))).toEqual(expected);
    await expect(task.run({ ...toHost, results: 'gpu' })).rejects.toThrow(
      "results: expected one of 'host', got 'gpu'",
    );
    const [[name, buffer] = []] = Object.entries(outputs().buffers);
    await expect(task.run({ ...toHost, [name!]: buffer })).rejects.toThrow(
      `${name}: expected none, since results go to the host`,
    );
    const encoder = device.createCommandEncoder();
    expect(() => task.encode!(encoder, toHost)).toThrow("got 'results'");
    instance.destroy();
  });

  test.runIf(operation.encodes)('what is encoded is what is run', async () => {
    const instance = await operation.create({ device });
    const task = await prepareTask(instance, room);
    const encoder = device.createCommandEncoder();
    const all = [first, second, first].map((given, i) => {
      setOn(task, given);
      const { buffers, read } = outputs();
      task.encode!(encoder, { ...taskInputOf(operation, gpu.buffer(scoresOf(i))), ...buffers });
      return { read, expected: () => alone('gpu', given, scoresOf(i)) };
    });
    setOn(task, second);
    device.queue.submit([encoder.finish()]);
    for (const { read, expected } of all) expect(await read()).toEqual(await expected());
    instance.destroy();
  });

  describe('what was given may be changed at once after the call', () => {
    const longSignal = () => new AbortController().signal;
    /** Spoils whatever it can reach. */
    function spoil(value: unknown): void {
      if (ArrayBuffer.isView(value)) (value as Float32Array).fill(1);
      else if (Array.isArray(value)) {
        for (const item of value) spoil(item);
        if (typeof value[0] === 'number') value.fill(1);
        else value.length = 0;
      } else if (
        typeof value === 'object' &&
        value !== null &&
        Object.getPrototypeOf(value) === Object.prototype
      ) {
        for (const [key, item] of Object.entries(value)) {
          spoil(item);
          (value as Record<string, unknown>)[key] = 'spoiled';
        }
      }
    }
    const own = ({ targets, inputLengths }: Given) => ({
      targets: targets.map((row) => [...row]),
      inputLengths: [...inputLengths],
    });

    test.each(['gpu', 'cpu'] as const)('of a batch: %s', async (kind) => {
      const instance = await operation.create({ device: kind === 'gpu' ? device : kind });
      const expected = await alone(kind, first, scoresOf(1));
      const options = { signal: longSignal(), onProgress: () => {} };
      const input = inputOf(operation, size, own(first), scoresOf(1));
      const running = runInstance(instance, input, options);
      spoil(input);
      spoil(options);
      expect(results(await running)).toEqual(expected);
      instance.destroy();
    });

    test.each(['gpu', 'cpu'] as const)('of a task: %s', async (kind) => {
      const instance = await operation.create({ device: kind === 'gpu' ? device : kind });
      const task = await prepareTask(instance, room);
      const given = own(first);
      setOn(task, given);
      spoil(given);
      const runs = [1, 2].map((seed) => {
        const options = { signal: longSignal(), onProgress: () => {} };
        const input = taskInputOf(operation, scoresOf(seed));
        const running = task.run(input, options);
        spoil(input);
        spoil(options);
        return running;
      });
      for (const [i, run] of runs.entries())
        expect(results(await run)).toEqual(await alone(kind, first, scoresOf(i + 1)));
      instance.destroy();
    });

    test.each(['gpu', 'cpu'] as const)(
      'but wide scores stay: transferred ones are refused by name: %s',
      async (kind) => {
        const wide: OperationSize = { frames: 5, sequences: 1, classes: 2 ** 18, labels: 1 };
        const given: Given = { targets: [[1]], inputLengths: [5] };
        const some = Float32Array.from({ length: 5 * 2 ** 18 }, (_, i) => (i * 7919) % 13);
        const make = () => some.slice();
        const take = ({ buffer }: Float32Array) =>
          structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
        const refused = {
          name: 'TypeError',
          message:
            'logits: expected an array that stays until the call has ended, got one whose buffer was transferred',
        };
        const told = (work: Promise<unknown>) =>
          work.then(
            () => 'done',
            (error: Error) => error,
          );
        const instance = await operation.create({ device: kind === 'gpu' ? device : kind });
        const task = await prepareTask(instance, roomOf(operation, wide));
        setOn(task, given);
        const before = make();
        take(before);
        expect(await told(task.run(taskInputOf(operation, before)))).toMatchObject(refused);
        // while a run waits for its turn, and at once after the call
        const [first, second, last] = [make(), make(), make()];
        const runs = [first, second].map((scores) => told(task.run(taskInputOf(operation, scores))));
        take(second);
        const [of, ofTaken] = await Promise.all(runs);
        expect([of, ofTaken]).toEqual(['done', expect.objectContaining(refused)]);
        const batch = told(runInstance(instance, inputOf(operation, wide, given, last)));
        take(last);
        expect(await batch).toMatchObject(refused);
        const again = await task.run(taskInputOf(operation, make()));
        expect(resultsOf(operation, wide, again)).toEqual(
          resultsOf(operation, wide, await task.run(taskInputOf(operation, make()))),
        );
        instance.destroy();
      },
    );

    test('of a task: ranges of buffers', async () => {
      const instance = await operation.create({ device });
      const task = await prepareTask(instance, room);
      setOn(task, first);
      const { buffers, read } = outputs();
      const ranges = Object.entries(buffers).map(([key, buffer]) => [key, { buffer, offset: 0 }]);
      const input = {
        ...taskInputOf(operation, { buffer: gpu.buffer(scoresOf(1)), offset: 0 }),
        ...Object.fromEntries(ranges),
      };
      const running = task.run(input);
      spoil(input);
      await running;
      expect(await read()).toEqual(await alone('gpu', first, scoresOf(1)));
      instance.destroy();
    });
  });

  test('ranges that overlap where one is written are refused, by both names', async () => {
    const instance = await operation.create({ device });
    const task = await prepareTask(instance, room);
    setOn(task, first);
    const sizes = Object.entries(operation.outputs(size));
    const buffer = gpu.buffer(4096);
    const calls: [string, (input: object) => unknown][] = [['run', (input) => task.run(input)]];
    if (operation.encodes)
      calls.push(['encode', (input) => task.encode!(device.createCommandEncoder(), input)]);
    for (const [what, call] of calls) {
      const refused = async (names: string[], input: object) => {
        const error = await new Promise((resolve) => resolve(call(input))).then(
          () => expect.fail(`${what} of ${names}`),
          (error: unknown) => error,
        );
        expect(error).toBeInstanceOf(TypeError);
        for (const key of names) expect((error as Error).message).toMatch(new RegExp(`\\b${key}\\b`));
      };
      const apart = () => ({
        ...taskInputOf(operation, gpu.buffer(scoresOf(1))),
        ...Object.fromEntries(sizes.map(([key, bytes]) => [key, gpu.buffer(bytes)])),
      });
      for (const [i, [key, bytes]] of sizes.entries()) {
        await refused([key, 'logits'], { ...apart(), logits: buffer, [key]: { buffer, offset: 256 } });
        for (const [other] of sizes.slice(0, i)) {
          const last = Math.floor((bytes - 1) / 256) * 256;
          const input = { ...apart(), [key]: { buffer }, [other]: { buffer, offset: last } };
          await refused([key, other], input);
        }
      }
    }
    instance.destroy();
  });

  test('says by its name that it was destroyed', async () => {
    const instance = await operation.create({ device: 'cpu' });
    const task: AnyTask = await prepareTask(instance, room);
    setOn(task, first);
    instance.destroy();
    const destroyed = { name: 'CtcError', code: 'destroyed' };
    await expect(prepareTask(instance, room)).rejects.toMatchObject({
      ...destroyed,
      message: `this ${name} was destroyed`,
    });
    await expect(runInstance(instance, inputOf(operation, size, first, scoresOf(1)))).rejects.toMatchObject(
      destroyed,
    );
    const ofTask = { ...destroyed, message: 'this task was destroyed' };
    await expect(task.run(taskInputOf(operation, scoresOf(1)))).rejects.toMatchObject(ofTask);
    expect(() => setOn(task, first)).toThrow(expect.objectContaining(ofTask));
    if (operation.encodes)
      expect(() => task.encode!(device.createCommandEncoder(), {})).toThrow(expect.objectContaining(ofTask));
  });
});

test('the one-liners read everything at once, too', async () => {
  const data = scoresOf(1);
  const logProbs = () => ({
    data: data.slice(),
    shape: [size.frames, size.sequences, size.classes] as [number, number, number],
  });
  const calls = {
    ctcLoss: () => {
      const tensor = logProbs();
      const targets = first.targets.map((row) => [...row]);
      const lengths = [...first.inputLengths];
      return {
        tensor,
        targets,
        lengths,
        result: library.ctcLoss(tensor, targets, lengths, undefined, { device: 'cpu' }),
      };
    },
    forcedAlign: () => {
      const tensor = logProbs();
      const targets = first.targets.map((row) => [...row]);
      const lengths = [...first.inputLengths];
      return {
        tensor,
        targets,
        lengths,
        result: library.forcedAlign(tensor, targets, lengths, undefined, { device: 'cpu' }),
      };
    },
  };
  for (const call of Object.values(calls)) {
    const expected = await call().result;
    const { tensor, targets, lengths, result } = call();
    tensor.data.fill(-1);
    tensor.shape.reverse();
    for (const row of targets) row.fill(1);
    targets.reverse();
    lengths.fill(1);
    expect(await result).toEqual(expected);
  }
});
