import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { CtcDecoder, CtcLoss } from 'webgpu-ctc/node';
import { forced } from '../src/api/forced.js';
import { openGpu } from '../src/node/drivers.js';
import { openDevice } from './device.js';
import {
  type AnyTask,
  everyOperation,
  type Given,
  type Instance,
  inputOf,
  type OperationSize,
  prepareTask,
  resultsOf,
  roomOf,
  runInstance,
  setOn,
  taskInputOf,
} from './operations.js';

const gpu = await openDevice();
const { device } = gpu;

/** Scores that a formula makes: the same everywhere, different for each seed. */
function scoresOf({ frames, sequences, classes }: OperationSize, seed = 1): Float32Array<ArrayBuffer> {
  const length = frames * sequences * classes;
  return Float32Array.from({ length }, (_, i) => Math.sin(i * i * 0.37 + seed * (i + 1)) * 2 - 3);
}
const size: OperationSize = { frames: 6, sequences: 3, classes: 5, labels: 3 };
const scores = scoresOf(size);
const first: Given = { targets: [[1, 2, 2], [4], [3, 1]], inputLengths: [6, 3, 5] };
const second: Given = { targets: [[2], [3, 4, 1], []], inputLengths: [2, 6, 4] };
const third: Given = { targets: [[1], [1, 2, 3], [4]], inputLengths: [1, 6, 2] };
/** Frames enough for a run that has a middle, where `inPieces` is used. */
const longOf = (frames: number) => {
  const long: OperationSize = { frames, sequences: 1, classes: 6, labels: 9 };
  const longGiven: Given = { targets: [[1, 2, 3, 4, 5, 5, 4, 3, 2]], inputLengths: [frames] };
  return { long, longGiven, longScores: scoresOf(long) };
};

type Kind = 'gpu' | 'buffers' | 'cpu';
const kinds: readonly Kind[] = ['gpu', 'buffers', 'cpu'];

/** Cuts what runs from now on into dispatches so small that they need many submissions; or turns, on the CPU, for which a clock runs fast. */
function inPieces<T extends object>(instance: T, kind: Kind = 'gpu'): T {
  forced.set(instance, { tuning: { elementsPerDispatch: 60 } });
  let now = 0;
  if (kind === 'cpu') vi.spyOn(performance, 'now').mockImplementation(() => ++now);
  return instance;
}
afterEach(() => void vi.restoreAllMocks());

/** The rejection of a promise that must not hang. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), 20_000);
  });
  const done = promise.then(
    () => expect.fail('it was fulfilled'),
    (error) => error,
  );
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}
const isCtcError = (code: string, message = /./) =>
  expect.objectContaining({ name: 'CtcError', code, message: expect.stringMatching(message) });

/** The device is out of memory for the nth thing from now on that is asked of it: no adapter here is before the machine is. */
function outOfMemory(nth: number, device: GPUDevice): () => boolean {
  const [push, pop] = [device.pushErrorScope.bind(device), device.popErrorScope.bind(device)];
  const filters: GPUErrorFilter[] = [];
  let scopes = 0;
  vi.spyOn(device, 'pushErrorScope').mockImplementation((filter) => {
    filters.push(filter);
    push(filter);
  });
  vi.spyOn(device, 'popErrorScope').mockImplementation(async () => {
    const refused = filters.pop() === 'out-of-memory' && ++scopes === nth;
    const error = await pop();
    return refused ? ({ message: 'no room' } as GPUError) : error;
  });
  return () => scopes >= nth;
}

describe.each(everyOperation)('%s', (name, operation) => {
  // what a ranker reads freely here has nearly as many labels as there are frames, and so has each text of a beam
  const { long, longGiven, longScores } = longOf(
    { CtcRanker: 400, CtcBeamDecoder: 900 }[name as string] ?? 3000,
  );
  const open = (kind: Kind) => operation.create({ device: kind === 'cpu' ? 'cpu' : device });
  const input = (given: Given, data: unknown, of = size) => inputOf(operation, of, given, data);
  const longInput = (data: unknown = longScores) => input(longGiven, data, long);
  const taskInput = (logits: unknown) => taskInputOf(operation, logits);
  const results = (result: Readonly<Record<string, unknown>>, of = size) => resultsOf(operation, of, result);
  const prepared = (instance: Instance, of = size) => prepareTask(instance, roomOf(operation, of));
  /** Scores where such a run has them. */
  const given = (kind: Kind, data: Float32Array<ArrayBuffer>) =>
    kind === 'buffers' ? gpu.buffer(data) : data;

  const before = new Map<string, Promise<Record<string, unknown>>>();
  /** What a batch gives alone. */
  function alone(
    batch: Given,
    data = scores,
    kind: Kind = 'gpu',
    of = size,
  ): Promise<Record<string, unknown>> {
    const key = `${JSON.stringify(batch)} ${data[7]} ${kind}`;
    const compute = async () => {
      const instance = await open(kind);
      const result = await runInstance(instance, input(batch, data, of));
      instance.destroy();
      return results(result, of);
    };
    if (!before.has(key)) before.set(key, compute());
    return before.get(key)!;
  }

  /** Buffers for the results, and those as they are some time. */
  function outputs() {
    const buffers = Object.fromEntries(
      Object.entries(operation.outputs(size)).map(([key, bytes]) => [key, gpu.buffer(bytes)]),
    );
    return { buffers, read: () => read(buffers) };
  }
  async function read(buffers: Readonly<Record<string, unknown>>, of = size) {
    const keys = Object.keys(operation.outputs(of));
    const values = await Promise.all(keys.map((key) => gpu.read(buffers[key] as GPUBuffer)));
    return results(Object.fromEntries(keys.map((key, i) => [key, values[i]])), of);
  }

  describe('what WebGPU refuses', () => {
    test('a buffer of another device is a gpu-validation error, and the task goes on', async () => {
      const stranger = await openDevice();
      const instance = await open('gpu');
      const task = await prepared(instance);
      setOn(task, first);
      const error = await rejection(task.run(taskInput(stranger.buffer(scores))));
      expect(error).toEqual(isCtcError('gpu-validation', /device/i));
      expect((error as Error).cause).toBeDefined();
      expect(results(await task.run(taskInput(scores)))).toEqual(await alone(first));
      instance.destroy();
    });

    test('a destroyed buffer is a gpu-validation error', async () => {
      const logits = gpu.buffer(scores);
      logits.destroy();
      const instance = await open('gpu');
      expect(await rejection(runInstance(instance, input(first, logits)))).toEqual(
        isCtcError('gpu-validation', /destroyed/i),
      );
      instance.destroy();
    });

    test.each(['gpu', 'buffers'] as const)(
      'memory, at any place: it is told, and nothing leaks: %s',
      async (kind) => {
        const before = gpu.alive();
        const logits = given(kind, scores);
        let places = 0;
        for (let refused = true; refused; places++) {
          const instance = await open(kind);
          const wasRefused = outOfMemory(places + 1, device);
          const result = await runInstance(instance, input(first, logits)).catch((error) => error);
          refused = wasRefused();
          vi.restoreAllMocks();
          instance.destroy();
          if (refused) expect(result).toEqual(isCtcError('out-of-memory', /: no room$/));
          else
            for (const key of Object.keys(operation.outputs(size)))
              (result[key] as GPUBuffer | undefined)?.destroy?.();
          expect(gpu.alive(), `refused the ${places + 1}th`).toEqual(before);
        }
        expect(places).toBeGreaterThan(3);
      },
    );
  });

  describe('a lost device', () => {
    async function doomed() {
      const { device, buffer } = await openDevice();
      const instance = await operation.create({ device });
      return { device, buffer, instance };
    }
    const lost = isCtcError('device-lost', /^device lost \(destroyed\)/);

    test('before and during prepare', async () => {
      const { device, instance } = await doomed();
      const preparing = prepared(instance);
      device.destroy();
      expect(await rejection(preparing)).toEqual(lost);
      expect(await rejection(prepared(instance))).toEqual(lost);
      expect(await rejection(runInstance(instance, input(first, scores)))).toEqual(lost);
    });

    test('before a run, before an encode, before new targets', async () => {
      const { device, buffer, instance } = await doomed();
      const task = await prepared(instance);
      setOn(task, first);
      const logits = buffer(scores);
      const there = Object.fromEntries(
        Object.entries(operation.outputs(size)).map(([key, bytes]) => [key, buffer(bytes)]),
      );
      device.destroy();
      expect(await rejection(task.run(taskInput(scores)))).toEqual(lost);
      expect(await rejection(task.run(taskInput(logits)))).toEqual(lost);
      expect(() => setOn(task, second)).toThrow(lost);
      if (operation.encodes)
        expect(() =>
          task.encode!(gpu.device.createCommandEncoder(), { ...taskInput(logits), ...there }),
        ).toThrow(lost);
      task.destroy();
      instance.destroy();
    });

    test.each(['gpu', 'buffers'] as const)('in the middle of a run: %s', async (kind) => {
      const { device, instance, buffer } = await doomed();
      inPieces(instance);
      // several submissions, two of them in flight
      const task = await prepared(instance, long);
      setOn(task, longGiven);
      const shares: number[] = [];
      const onProgress = (share: number) => {
        if (shares.push(share) === 1) device.destroy();
      };
      const logits = kind === 'gpu' ? longScores : buffer(longScores);
      const running = task.run(taskInput(logits), { onProgress });
      const queued = task.run(taskInput(logits));
      expect(await rejection(running)).toEqual(lost);
      expect(await rejection(queued)).toEqual(lost);
    });

    test('that the library owns is made again, even in the turn in which it dies', async () => {
      const instance = await operation.create({ device: 'gpu' });
      (instance.device as GPUDevice).destroy();
      const next = await operation.create({ device: 'gpu' });
      expect(next.device).not.toBe(instance.device);
      expect(await rejection(runInstance(instance, input(first, scores)))).toEqual(lost);
      const result = await runInstance(next, input(first, scores));
      expect((result.backend as { device: string }).device).toBe('gpu');
      expect((await operation.create({ device: 'gpu' })).device).toBe(next.device);
      expect(Object.keys(results(result))).toEqual(Object.keys(operation.outputs(size)));
    });
  });

  describe('abort and progress', () => {
    test.each(kinds)('the share rises to 1: %s', async (kind) => {
      const instance = inPieces(await open(kind), kind);
      const shares: number[] = [];
      const result = await runInstance(instance, longInput(given(kind, longScores)), {
        onProgress: (share: number) => shares.push(share),
      });
      expect(shares).toEqual([...new Set(shares)].sort((a, b) => a - b));
      // the CPU reads a batch at one go
      if (!(name === 'CtcDecoder' && kind === 'cpu')) expect(shares.length).toBeGreaterThan(1);
      expect(shares[0]).toBeGreaterThan(0);
      expect(shares.at(-1)).toBe(1);
      for (const value of Object.values(result)) (value as GPUBuffer).destroy?.();
      instance.destroy();
    });

    test.each(kinds)('before a run, nothing is done: %s', async (kind) => {
      const before = gpu.alive();
      const instance = await open(kind);
      const reason = new Error('not wanted');
      const onProgress = vi.fn();
      const options = { signal: AbortSignal.abort(reason), onProgress };
      expect(await rejection(runInstance(instance, input(first, given(kind, scores)), options))).toBe(reason);
      expect(onProgress).not.toHaveBeenCalled();
      expect(gpu.alive()).toEqual(before);
      instance.destroy();
    });

    test.each(kinds)('in the middle, and the task goes on: %s', async (kind) => {
      const before = gpu.alive();
      const instance = inPieces(await open(kind), kind);
      const task = await prepared(instance, long);
      setOn(task, longGiven);
      const expected = results(await task.run(taskInput(longScores)), long);
      const controller = new AbortController();
      const onProgress = (share: number) => share < 0.5 || controller.abort('enough');
      const aborted = task.run(taskInput(given(kind, longScores)), { signal: controller.signal, onProgress });
      const next = task.run(taskInput(longScores));
      expect(await rejection(aborted)).toBe('enough');
      const again = await task.run(taskInput(longScores));
      for (const result of [await next, again]) expect(results(result, long)).toEqual(expected);
      instance.destroy();
      expect(gpu.alive()).toEqual(before);
    });

    test('while a run waits for its turn', async () => {
      const instance = await open('gpu');
      const task = await prepared(instance);
      setOn(task, first);
      const controller = new AbortController();
      const running = task.run(taskInput(scores));
      const waiting = task.run(taskInput(scores), { signal: controller.signal });
      controller.abort();
      expect(await rejection(waiting)).toMatchObject({ name: 'AbortError' });
      expect(results(await running)).toEqual(await alone(first));
      instance.destroy();
    });

    test('while the scores are uploaded', async () => {
      // two chunks, and a turn of the event loop between them
      const wide: OperationSize = { frames: 5, sequences: 1, classes: 2 ** 20, labels: 1 };
      const instance = await open('gpu');
      const task = await prepared(instance, wide);
      setOn(task, { targets: [[1]], inputLengths: [5] });
      const controller = new AbortController();
      const { queue } = device;
      const write = queue.writeBuffer.bind(queue);
      const written: number[] = [];
      vi.spyOn(queue, 'writeBuffer').mockImplementation((...args) => {
        const { byteLength } = args[2] as Uint8Array;
        if (byteLength > 2 ** 20) {
          written.push(byteLength);
          controller.abort('enough');
        }
        (write as (...all: unknown[]) => void)(...args);
      });
      const running = task.run(taskInput(new Float32Array(5 * 2 ** 20)), { signal: controller.signal });
      expect(await rejection(running)).toBe('enough');
      expect(written).toEqual([2 ** 24]);
      instance.destroy();
    });

    test('an error in onProgress rejects the run, and the task goes on', async () => {
      const instance = await open('gpu');
      const task = await prepared(instance);
      setOn(task, first);
      const mistake = new Error('mistake');
      const onProgress = () => {
        throw mistake;
      };
      expect(await rejection(task.run(taskInput(scores), { onProgress }))).toBe(mistake);
      expect(results(await task.run(taskInput(scores)))).toEqual(await alone(first));
      instance.destroy();
    });
  });

  describe('destroy', () => {
    test.each(kinds)('during a run ends in an error: %s', async (kind) => {
      for (const when of [0.3, 1]) {
        const before = gpu.alive();
        const instance = inPieces(await open(kind), kind);
        const task = await prepared(instance, long);
        setOn(task, longGiven);
        const logits = given(kind, longScores);
        const onProgress = (share: number) => share < when || task.destroy();
        const running = task.run(taskInput(logits), { onProgress });
        const queued = task.run(taskInput(logits));
        for (const run of [running, queued])
          expect(await rejection(run)).toEqual(isCtcError('destroyed', /^this task was destroyed$/));
        instance.destroy();
        expect(gpu.alive()).toEqual(before);
      }
    });

    test('at once after run and prepare', async () => {
      const before = gpu.alive();
      const instance = await open('gpu');
      const task = await prepared(instance);
      setOn(task, first);
      const running = rejection(task.run(taskInput(scores)));
      const preparing = rejection(prepared(instance));
      const inOne = rejection(runInstance(instance, input(first, scores)));
      instance.destroy();
      expect(await running).toEqual(isCtcError('destroyed'));
      expect(await preparing).toEqual(isCtcError('destroyed', new RegExp(`^this ${name} was destroyed$`)));
      expect(await inOne).toEqual(isCtcError('destroyed'));
      expect(gpu.alive()).toEqual(before);
    });

    test.each(['gpu', 'buffers'] as const)(
      'at any turn of the event loop frees everything: %s',
      async (kind) => {
        const before = gpu.alive();
        const logits = given(kind, scores);
        for (let turns = 0; turns < 15; turns++) {
          const instance = await open('gpu');
          const running = runInstance(instance, input(first, logits)).catch((error) => error);
          for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
          instance.destroy();
          const outcome = await running;
          if (outcome instanceof Error) expect(outcome).toEqual(isCtcError('destroyed'));
          else for (const key of Object.keys(operation.outputs(size))) outcome[key]?.destroy?.();
          expect(gpu.alive(), `after ${turns} turns`).toEqual(before);
        }
      },
    );

    test('may be called again, and leaves a given device alone', async () => {
      const instance = await open('gpu');
      const task = await prepared(instance);
      for (const it of [task, task, instance, instance, task]) it.destroy();
      await expect(gpu.read(gpu.buffer(Float32Array.of(7)))).resolves.toEqual(Float32Array.of(7));
    });

    test.runIf(Symbol.dispose)('is what `using` calls', async () => {
      const before = gpu.alive();
      const instance = (await open('gpu')) as Instance & Disposable;
      const task = (await prepared(instance)) as AnyTask & Disposable;
      expect(gpu.alive()).not.toEqual(before);
      task[Symbol.dispose]();
      expect(gpu.alive()).toEqual(before);
      await prepared(instance);
      instance[Symbol.dispose]();
      expect(gpu.alive()).toEqual(before);
    });
  });

  describe('every buffer that is made is destroyed', () => {
    const reason = 'enough';
    const abort = () => {
      const controller = new AbortController();
      return { signal: controller.signal, onProgress: () => controller.abort(reason) };
    };
    const ways: Record<string, (instance: Instance) => Promise<unknown>> = {
      run: (instance) => runInstance(instance, longInput()),
      'a task that is left': async (instance) => {
        const task = await prepared(instance);
        setOn(task, first);
        await task.run(taskInput(scores));
        await task.run(taskInput(scores));
      },
      'an abort in the middle': (instance) => rejection(runInstance(instance, longInput(), abort())),
      'an abort of a run that makes outputs': (instance) =>
        rejection(runInstance(instance, longInput(gpu.buffer(longScores)), abort())),
      'wrong lengths': (instance) => rejection(runInstance(instance, { ...longInput(), inputLengths: [-1] })),
      'wrong scores': (instance) => rejection(runInstance(instance, input(first, new Float32Array(3)))),
      'a GPU error': async (instance) =>
        rejection(runInstance(instance, input(first, (await openDevice()).buffer(scores)))),
    };
    test.each(Object.entries(ways))('%s', async (_, way) => {
      const before = gpu.alive();
      const instance = inPieces(await open('gpu'));
      await way(instance);
      instance.destroy();
      expect(gpu.alive()).toEqual(before);
    });

    test('but what was handed out', async () => {
      const before = gpu.alive();
      const instance = await open('gpu');
      const result = await runInstance(instance, input(first, gpu.buffer(scores)));
      instance.destroy();
      const keys = Object.keys(operation.outputs(size));
      expect(gpu.alive().length).toBe(before.length + keys.length);
      for (const key of keys) (result[key] as GPUBuffer).destroy();
      expect(gpu.alive()).toEqual(before);
    });
  });

  test('arrays on shared memory are taken like others', async () => {
    const instance = await open('gpu');
    const shared = new Float32Array(new SharedArrayBuffer(scores.byteLength));
    shared.set(scores);
    expect(results(await runInstance(instance, input(first, shared)))).toEqual(await alone(first));
    instance.destroy();
  });

  test('the memory of a task is exact, and known before anything runs', async () => {
    const instance = await open('gpu');
    const created = vi.spyOn(device, 'createBuffer');
    const task = await prepared(instance);
    const held = () => created.mock.calls.reduce((sum, [{ size }]) => sum + size, 0);
    expect(task.memory).toBe(held());
    if (operation.encodes) {
      for (const given of [first, second]) {
        setOn(task, given);
        const { buffers } = outputs();
        task.encode!(device.createCommandEncoder(), { ...taskInput(gpu.buffer(scores)), ...buffers });
      }
      expect(task.memory).toBe(held());
    }
    instance.destroy();
  });

  describe('several at once', () => {
    test('tasks interleaved give what they give alone', async () => {
      const instance = await open('gpu');
      const tasks = await Promise.all([prepared(instance), prepared(instance, long), prepared(instance)]);
      const batches = [first, longGiven, second];
      const data = [scoresOf(size, 1), longScores, scoresOf(size, 2)];
      const sizes = [size, long, size];
      tasks.forEach((task, i) => {
        setOn(task, batches[i]!);
      });
      const runs = await Promise.all(tasks.map((task, i) => task.run(taskInput(data[i]))));
      for (const [i, run] of runs.entries())
        expect(results(run, sizes[i])).toEqual(await alone(batches[i]!, data[i]!, 'gpu', sizes[i]!));
      instance.destroy();
    });

    test.each(['gpu', 'cpu'] as const)(
      'each run has the targets that were set before it: %s',
      async (kind) => {
        const instance = await open(kind);
        const task = await prepared(instance);
        const sets = [first, second, third, first];
        const runs = sets.map((batch) => {
          setOn(task, batch);
          return task.run(taskInput(scores));
        });
        setOn(task, third);
        for (const [i, run] of runs.entries())
          expect(results(await run)).toEqual(await alone(sets[i]!, scores, kind));
        instance.destroy();
      },
    );

    test('instances share a device, and kernels compiled for it', async () => {
      const [a, b] = await Promise.all([
        operation.create({ device: 'gpu' }),
        operation.create({ device: 'gpu', blank: 1 }),
      ]);
      expect(a.device).toBe(b.device);
      await (await open('gpu').then(prepared)).destroy();
      const compile = vi.spyOn(device, 'createComputePipelineAsync');
      const other = await operation.create({ device, blank: 2 });
      await prepared(other);
      expect(compile).not.toHaveBeenCalled();
      other.destroy();
    });
  });

  describe.runIf(operation.encodes)('encode', () => {
    async function encoder() {
      const instance = await open('gpu');
      const task = await prepared(instance);
      return { instance, task, logits: gpu.buffer(scores), encoder: device.createCommandEncoder() };
    }

    test('uses the targets that were set before it, whenever it is submitted', async () => {
      const { instance, task, logits } = await encoder();
      const sets = [first, second, third];
      const encoders: GPUCommandEncoder[] = [];
      const reads = sets.map((batch) => {
        setOn(task, batch);
        const encoder = device.createCommandEncoder();
        const { buffers, read } = outputs();
        task.encode!(encoder, { ...taskInput(logits), ...buffers });
        encoders.push(encoder);
        return read;
      });
      setOn(task, first);
      device.queue.submit(encoders.reverse().map((encoder) => encoder.finish()));
      for (const [i, read] of reads.entries()) expect(await read()).toEqual(await alone(sets[i]!));
      instance.destroy();
    });

    test('holds many targets until they are submitted, and then lets them go', async () => {
      const { instance, task, logits } = await encoder();
      setOn(task, first);
      const resting = gpu.alive().length;
      const sets = Array.from({ length: 40 }, (_, i) => [first, second, third][i % 3]!);
      const waiting = sets.map((batch) => {
        setOn(task, batch);
        const encoder = device.createCommandEncoder();
        const { buffers, read } = outputs();
        task.encode!(encoder, { ...taskInput(logits), ...buffers });
        return { encoder, read };
      });
      // those in the middle before all others, and one by one
      for (const from of [20, 0, 30, 10]) {
        device.queue.submit(waiting.slice(from, from + 10).map(({ encoder }) => encoder.finish()));
        setOn(task, third);
        await device.queue.onSubmittedWorkDone();
      }
      for (const [i, { read }] of waiting.entries()) expect(await read()).toEqual(await alone(sets[i]!));
      expect(results(await task.run(taskInput(scores)))).toEqual(await alone(third));
      expect(gpu.alive().length).toBeLessThan(resting + 10);
      instance.destroy();
    });

    test('of a hundred steps with targets of their own takes no more room than of ten', async () => {
      const before = gpu.alive();
      const { instance, task, logits } = await encoder();
      const { buffers, read } = outputs();
      const steps = async (count: number) => {
        for (let i = 0; i < count; i++) {
          setOn(task, i % 2 ? first : second);
          const encoder = device.createCommandEncoder();
          task.encode!(encoder, { ...taskInput(logits), ...buffers });
          device.queue.submit([encoder.finish()]);
          await device.queue.onSubmittedWorkDone();
        }
        return gpu.alive().length;
      };
      const ten = await steps(10);
      expect(await steps(100)).toBeLessThanOrEqual(ten + 4);
      expect(await read()).toEqual(await alone(first));
      instance.destroy();
      expect(gpu.alive()).toEqual(before);
    });

    test('asks the device now and then, not at every call', async () => {
      const { instance, task, logits } = await encoder();
      const { buffers } = outputs();
      const staging = vi.spyOn(device, 'createBuffer');
      for (let i = 0; i < 64; i++) {
        setOn(task, first);
        const encoder = device.createCommandEncoder();
        task.encode!(encoder, { ...taskInput(logits), ...buffers });
        // some that are never submitted
        if (i >= 6) device.queue.submit([encoder.finish()]);
        await device.queue.onSubmittedWorkDone();
      }
      const asked = staging.mock.calls.filter(([{ usage }]) => usage & 0x1).length;
      expect(asked).toBeGreaterThan(2);
      expect(asked).toBeLessThan(24);
      instance.destroy();
    });

    test('leaves a run no room before it is submitted', async () => {
      const { instance, task, logits, encoder: own } = await encoder();
      setOn(task, first);
      const { buffers, read } = outputs();
      task.encode!(own, { ...taskInput(logits), ...buffers });
      setOn(task, second);
      expect(await rejection(task.run(taskInput(scores)))).toEqual(
        isCtcError('busy', /^1 of the encodes of this task has not been submitted/),
      );
      device.queue.submit([own.finish()]);
      expect(results(await task.run(taskInput(scores)))).toEqual(await alone(second));
      expect(await read()).toEqual(await alone(first));
      instance.destroy();
    });

    test('writes nothing to the queue, submits nothing, makes no buffer, reads nothing back', async () => {
      const { instance, task, logits, encoder: own } = await encoder();
      setOn(task, first);
      const { buffers } = outputs();
      const calls = [
        vi.spyOn(device.queue, 'submit'),
        vi.spyOn(device.queue, 'writeBuffer'),
        vi.spyOn(device, 'createBuffer'),
        vi.spyOn(device, 'pushErrorScope'),
      ];
      task.encode!(own, { ...taskInput(logits), ...buffers });
      expect(calls.map((call) => call.mock.calls.length)).toEqual([0, 0, 0, 0]);
      device.queue.submit([own.finish()]);
      await task.run({ logits: scores });
      expect(
        calls.map((call) => call.mock.calls.length > 0),
        'the spies see',
      ).not.toContain(false);
      instance.destroy();
    });

    test('while a run has not ended is an error, and after it works', async () => {
      const { instance, task, logits, encoder: own } = await encoder();
      setOn(task, first);
      const { buffers, read } = outputs();
      const running = task.run({ logits: scores });
      expect(() => task.encode!(own, { ...taskInput(logits), ...buffers })).toThrow(
        isCtcError('busy', /has not ended/),
      );
      await running;
      task.encode!(own, { ...taskInput(logits), ...buffers });
      device.queue.submit([own.finish()]);
      expect(await read()).toEqual(await alone(first));
      instance.destroy();
    });

    test('is told when there was no room for its targets', async () => {
      const { instance, task, logits, encoder: own } = await encoder();
      const { buffers } = outputs();
      setOn(task, first);
      task.encode!(own, { ...taskInput(logits), ...buffers });
      outOfMemory(1, device);
      setOn(task, second);
      await device.queue.onSubmittedWorkDone();
      await new Promise(setImmediate);
      const told = isCtcError('out-of-memory', /^setTargets: no room$/);
      expect(() => task.encode!(own, { ...taskInput(logits), ...buffers })).toThrow(told);
      expect(() => setOn(task, second)).toThrow(told);
      expect(await rejection(task.run({ logits: scores }))).toEqual(told);
      instance.destroy();
    });

    test('gives back the targets of what has been executed, but for a few', async () => {
      const { instance, task, logits } = await encoder();
      const { buffers } = outputs();
      const encodeOne = () => {
        setOn(task, first);
        const encoder = device.createCommandEncoder();
        task.encode!(encoder, { logits, ...buffers });
        device.queue.submit([encoder.finish()]);
      };
      const atFirst = task.memory;
      encodeOne();
      setOn(task, first);
      const ofOne = task.memory - atFirst;
      const sets = () => 1 + (task.memory - atFirst) / ofOne;
      // one after another
      let most = 0;
      for (let i = 0; i < 20; i++) {
        encodeOne();
        most = Math.max(most, sets());
        await device.queue.onSubmittedWorkDone();
        // for what is asked and answered in between
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
      expect(most).toBeLessThanOrEqual(7);
      // all at once
      for (let i = 0; i < 12; i++) encodeOne();
      expect(sets()).toBeGreaterThanOrEqual(12);
      await task.run({ logits: scores });
      expect(sets()).toBeLessThanOrEqual(5);
      instance.destroy();
    });

    test('is over at once where it was destroyed, with what it waits for', async () => {
      const before = gpu.alive();
      const { instance, task, logits } = await encoder();
      const { buffers } = outputs();
      for (let i = 0; i < 6; i++) {
        setOn(task, first);
        const encoder = device.createCommandEncoder();
        task.encode!(encoder, { ...taskInput(logits), ...buffers });
        device.queue.submit([encoder.finish()]);
      }
      await device.queue.onSubmittedWorkDone();
      instance.destroy();
      await device.queue.onSubmittedWorkDone();
      await new Promise(setImmediate);
      expect(gpu.alive()).toEqual(before);
    });
  });

  test("the caller's error scopes see the caller's errors, and those alone", async () => {
    const instance = await open('gpu');
    const task = await prepared(instance);
    setOn(task, first);
    const misuse = () => device.createBuffer({ size: 4, usage: 0x1 | 0x80 }).destroy();
    const stranger = (await openDevice()).buffer(scores);

    device.pushErrorScope('validation');
    const good = task.run(taskInput(scores));
    misuse();
    const bad = task.run(taskInput(stranger));
    const preparing = prepared(instance);
    const mine = device.popErrorScope();
    device.pushErrorScope('validation');
    expect(await rejection(bad)).toEqual(isCtcError('gpu-validation'));
    const none = device.popErrorScope();

    expect((await mine)?.message).toMatch(/usage/i);
    expect(await none).toBeNull();
    expect(results(await good)).toEqual(await alone(first));
    (await preparing).destroy();
    instance.destroy();
  });
});

describe('encode of a loss', () => {
  const count = scores.length;
  /** Losses, then a gap, then the gradient, each at an odd place; the scores, too. */
  test('writes into its ranges alone', async () => {
    const ctc = await CtcLoss.create({ device, reduction: 'none' });
    const task = await ctc.prepare({ logits: [6, 3, 5], maxTargetLength: 3 });
    task.setTargets(first.targets as number[][]);
    const encoder = device.createCommandEncoder();
    const ranges = [1, 2].map((seed) => {
      const padded = new Float32Array(count + 3);
      padded.set(scoresOf(size, seed), 3);
      const logits = { buffer: gpu.buffer(padded), offset: 12 };
      const loss = { buffer: gpu.buffer(600), offset: 512 };
      const grad = { buffer: gpu.buffer(1000), offset: 20, size: 4 * count };
      task.encode(encoder, { logits, loss, grad });
      return { loss, grad };
    });
    device.queue.submit([encoder.finish()]);
    for (const [i, { loss, grad }] of ranges.entries()) {
      const alone = await task.run({ logits: scoresOf(size, i + 1) });
      expect(await gpu.read(grad.buffer, grad.offset, grad.size)).toEqual(alone.grad);
      const losses = await gpu.read(loss.buffer, loss.offset, 12);
      for (const [n, value] of losses.entries()) expect(value).toBeCloseTo(alone.loss[n]!, 5);
      const around = [
        ...(await gpu.read(grad.buffer, 0, 20)),
        ...(await gpu.read(grad.buffer, 20 + 4 * count)),
      ];
      expect(new Set(around), 'written beside the range').toEqual(new Set([0]));
    }
    ctc.destroy();
  });

  test('needs no loss', async () => {
    const ctc = await CtcLoss.create({ device, reduction: 'none' });
    const task = await ctc.prepare({ logits: [6, 3, 5], maxTargetLength: 3 });
    task.setTargets(first.targets as number[][]);
    const encoder = device.createCommandEncoder();
    const grad = gpu.buffer(4 * count);
    task.encode(encoder, { logits: gpu.buffer(scores), grad });
    device.queue.submit([encoder.finish()]);
    expect(await gpu.read(grad)).toEqual((await task.run({ logits: scores })).grad);
    ctc.destroy();
  });
});

describe('a kept lattice', () => {
  const room = { logits: [6, 3, 5], maxTargetLength: 3, keep: ['alpha', 'posterior'] } as const;
  const rows = (given: Given) => given.targets as number[][];
  const lengths = ({ inputLengths }: Given) => ({ inputLengths });
  const ofGiven = async (given: Given, device: GPUDevice | 'cpu') => {
    const ctc = await CtcLoss.create({ device });
    const task = await ctc.prepare(room);
    task.setTargets(rows(given), lengths(given));
    await task.run({ logits: scores });
    const kept = { alpha: await task.read('alpha'), posterior: await task.read('posterior') };
    ctc.destroy();
    return kept;
  };

  test.each(['gpu', 'cpu'] as const)(
    'is that of the last run, whatever was set or failed after it: %s',
    async (kind) => {
      const on = kind === 'gpu' ? device : kind;
      const ctc = await CtcLoss.create({ device: on });
      const task = await ctc.prepare(room);
      task.setTargets(rows(first), lengths(first));
      await task.run({ logits: scores });
      task.setTargets(rows(second), lengths(second));
      expect(await task.read('posterior')).toEqual((await ofGiven(first, on)).posterior);
      // a run that begins while it is read waits for its turn
      const reading = task.read('alpha');
      const running = task.run({ logits: scores });
      expect(await reading).toEqual((await ofGiven(first, on)).alpha);
      await running;
      expect(await task.read('alpha')).toEqual((await ofGiven(second, on)).alpha);
      const onProgress = () => {
        throw new Error('mistake');
      };
      await rejection(task.run({ logits: scores }, { onProgress }));
      expect(await rejection(task.read('alpha'))).toEqual(
        new TypeError('read: expected a run before this, got none'),
      );
      ctc.destroy();
    },
  );

  test('is that of the last submission, in whatever order things were encoded', async () => {
    const ctc = await CtcLoss.create({ device });
    const task = await ctc.prepare(room);
    const logits = gpu.buffer(scores);
    const commands = [first, second].map((given) => {
      task.setTargets(rows(given), lengths(given));
      const encoder = device.createCommandEncoder();
      task.encode(encoder, { logits, grad: gpu.buffer(scores.byteLength) });
      return encoder.finish();
    });
    device.queue.submit([commands[1]!]);
    expect(await rejection(task.read('posterior'))).toEqual(isCtcError('busy', /has not been submitted/));
    device.queue.submit([commands[0]!]);
    expect(await task.read('posterior')).toEqual((await ofGiven(first, device)).posterior);
    // a shader of the caller's sees the targets of what is in the lattice, not those that were set since
    task.setTargets(rows(second), lengths(second));
    const { entries } = task.lattice.blocks[0]!;
    const { buffer, offset, size } = entries[1]!.resource;
    const words = new Uint32Array((await gpu.read(buffer as GPUBuffer, offset, size)).buffer);
    const there = [0, 1, 2].map((n) => words[(n * words.length) / 3]);
    expect(there).toEqual(first.inputLengths);
    // nothing is left of it while a run that fails is the last
    const onProgress = () => {
      throw new Error('mistake');
    };
    await rejection(task.run({ logits: scores }, { onProgress }));
    expect(await rejection(task.read('alpha'))).toEqual(
      new TypeError('read: expected a run before this, got none'),
    );
    ctc.destroy();
  });

  test('of a lost device is told at once', async () => {
    const { device } = await openDevice();
    const ctc = await CtcLoss.create({ device });
    const task = await ctc.prepare(room);
    task.setTargets(rows(first), lengths(first));
    await task.run({ logits: scores });
    device.destroy();
    expect(await rejection(task.read('alpha'))).toEqual(isCtcError('device-lost'));
    expect(() => task.lattice).toThrow(isCtcError('device-lost'));
  });
});

test('an allocation beyond the device rejects prepare and leaks nothing', async () => {
  const greedy = await CtcLoss.create({ device });
  forced.set(greedy, { limits: { maxBufferSize: 2 ** 40, maxStorageBufferBindingSize: 2 ** 40 } });
  const before = gpu.alive();
  const error = await rejection(greedy.prepare({ logits: [40_000, 1, 5], maxTargetLength: 1500 }));
  expect(error).toEqual(isCtcError('gpu-validation', /^prepare: (.|\n)*ctc:(fused|tiled):/));
  expect(gpu.alive()).toEqual(before);
});

test('a kernel that does not compile is told with the line of its file', async () => {
  const { device } = await openDevice();
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) =>
    create({ ...descriptor, code: descriptor.code.replace('fn greedy(', 'fn greedy(oops ') });
  const decoder = await CtcDecoder.create({ device });
  const lines = readFileSync(new URL('../shaders/greedy.wgsl', import.meta.url), 'utf8').split('\n');
  const line = 1 + lines.findIndex((text) => text.includes('fn greedy('));
  const error = (await rejection(decoder.prepare({ logits: [6, 3, 5] }))) as Error;
  expect(error).toEqual(isCtcError('gpu-validation', /^kernel greedy: /));
  expect(error.message).toMatch(new RegExp(`^shaders/greedy\\.wgsl:${line}: .`, 'm'));
  expect(error.cause).toBeDefined();
});

test("after a failed attempt 'gpu' looks again, 'auto' does not", async () => {
  vi.resetModules();
  const { adapterOf, deviceFor, provideGpu } = await import('../src/run/device.js');
  const { areTwinsFaster } = await import('../src/plan/tuning.js');
  let attempts = 0;
  provideGpu(async () => {
    attempts++;
    throw new (await import('../src/problem/errors.js')).CtcError('no-webgpu', 'not yet');
  });
  expect((await deviceFor('auto')).device).toBeUndefined();
  expect((await deviceFor('auto')).reason).toBe('not yet');
  expect(attempts).toBe(1);
  expect(await rejection(deviceFor('gpu'))).toEqual(isCtcError('no-webgpu', /^not yet$/));
  expect(attempts).toBe(2);
  provideGpu(async () => ({ ...(await openGpu()), reason: 'here' }));
  expect((await deviceFor('auto')).device).toBeUndefined();
  const [one, other] = await Promise.all([deviceFor('gpu'), deviceFor('gpu')]);
  expect(one.device).toBeDefined();
  expect(other.device).toBe(one.device);
  // where that is software the twins are faster
  const chosen = await deviceFor('auto');
  if (!areTwinsFaster(adapterOf(one.device))) expect(chosen.device).toBe(one.device);
  else expect(chosen).toMatchObject({ reason: expect.stringContaining(`${one.adapter} is software`) });
});

describe('a program that uses the library', () => {
  const repository = fileURLToPath(new URL('..', import.meta.url));
  const node = promisify(execFile);
  beforeAll(() => node('node', ['scripts/setup.mjs'], { cwd: repository }));

  test.each([
    [
      'ends by itself',
      'await ctc.run(input); const task = await ctc.prepare({ logProbs: [4, 1, 3], maxTargetLength: 1 });',
    ],
    ['ends by itself after destroy', 'await ctc.run(input); ctc.destroy(); ctc.device.destroy();'],
    ['ends in the middle of a run', 'ctc.run(input); setTimeout(() => process.exit(0), 30);'],
    ['ends after an error', 'await ctc.run({ ...input, targets: [[7]] }).catch(() => {});'],
  ])('%s', async (_, use) => {
    const script = `import { CtcLoss } from './dist/node.js';
      const ctc = await CtcLoss.create({ device: 'gpu' });
      const input = { logProbs: { data: new Float32Array(12), shape: [4, 1, 3] }, targets: [[1]] };
      ${use}
      process.on('exit', () => console.log('end'));`;
    const options = { cwd: repository, timeout: 10_000, killSignal: 'SIGKILL' } as const;
    const { stdout } = await node('node', ['--input-type=module', '-e', script], options);
    // a driver that was compiling may have something of its own to say after that
    expect(stdout).toMatch(/^end\n/);
  });
});
