// Ratios and tables.
import { leastBytes } from './problem.js';

/**
 * @typedef {import('./compare.js').Result} Result
 * @typedef {Result & { perTorch?: number, perCuda?: number, perStep?: number, perBest?: number, ofCopy?: number, ofShader?: number }} Rated
 * `perBest`: of `auto`, over the best forced strategy; `ofCopy`, `ofShader`: the least bytes at the speed of a copy, by
 * the driver's command or by a shader, over the time
 * @typedef {{ copy?: number, shader?: number }} Bandwidth bytes read and written in a millisecond
 */

/**
 * All results of one shape, compared.
 * @param {Result[]} results @param {import('./problem.js').Scores} scores
 * @param {Map<string, Bandwidth>} bandwidths of each adapter @returns {Rated[]}
 */
export function rate(results, scores, bandwidths) {
  /** @param {string} contestant @param {string} [team] */
  const timeOf = (contestant, team) =>
    results.find((r) => r.contestant === contestant && (!team || r.team === team))?.ms;
  /** @param {number} ms @param {number} [reference] */
  const per = (ms, reference) => (reference === undefined ? undefined : ms / reference);
  return results.map((result) => {
    const { team, contestant, ms, shape } = result;
    const forced = ['step', 'fused', 'tiled'].map((name) => timeOf(name, team) ?? Number.POSITIVE_INFINITY);
    const { copy, shader } = bandwidths.get(team) ?? {};
    const bytes = leastBytes(shape, scores);
    return {
      ...result,
      perTorch: per(ms, timeOf('PyTorch')),
      perCuda: per(ms, timeOf('PyTorch CUDA')),
      perStep: per(ms, timeOf('step', team)),
      ...(contestant === 'auto' && { perBest: ms / Math.min(...forced) || undefined }),
      ofCopy: copy && bytes / copy / ms,
      ofShader: shader && bytes / shader / ms,
    };
  });
}

/** @param {number | undefined} x */
export const milliseconds = (x) => (x === undefined ? '' : x.toFixed(x < 10 ? 2 : x < 100 ? 1 : 0));
/** @param {number | undefined} x */
export const ratio = (x) => (x === undefined ? '' : x.toFixed(2));
/** @param {number | undefined} x */
const percent = (x) => (x === undefined ? '' : `${(100 * x).toFixed(x < 0.1 ? 1 : 0)} %`);
/** @param {number | undefined} x */
const mebibytes = (x) => (x === undefined ? '' : (x / 2 ** 20).toFixed(x < 2 ** 20 ? 2 : 0));

/** A table in Markdown, without columns that are empty. @param {string[]} head @param {string[][]} rows */
export function table(head, rows) {
  if (rows.length === 0) return 'no results';
  const kept = head.map((_, i) => i).filter((i) => rows.some((row) => row[i] !== ''));
  const line = (/** @type {string[]} */ cells) => `| ${kept.map((i) => cells[i]).join(' | ')} |`;
  const rule = `|${kept.map((i) => (i === 0 ? ':--' : '--:')).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** @param {Result} result */
const nameOf = ({ contestant, chosen }) =>
  contestant === 'auto' && chosen ? `auto (${chosen})` : contestant;

/** What one adapter, or the CPU, has done. @param {Rated[]} results */
export function timeTable(results) {
  const head = ['T, N, C, S', '', 'median ms', 'fastest–slowest', 'runs', '× PyTorch', '× PyTorch CUDA'];
  head.push('× step', '× best forced', 'of copy', 'of shader copy', 'memory MiB', 'compilation ms');
  const rows = results.map((r) => [
    r.shape.join(', '),
    nameOf(r),
    milliseconds(r.ms),
    `${milliseconds(r.min)}–${milliseconds(r.max)}`,
    String(r.runs),
    ...[r.perTorch, r.perCuda, r.perStep, r.perBest].map(ratio),
    ...[r.ofCopy, r.ofShader].map(percent),
    mebibytes(r.memory),
    r.contestant === 'jax-js' ? milliseconds(r.first) : '',
  ]);
  return table(head, rows);
}

/** `auto` against the forced strategies of one adapter. @param {Rated[]} results */
export function randomTable(results) {
  const names = ['auto', 'step', 'fused', 'tiled'];
  const autos = results.filter(({ contestant }) => contestant === 'auto');
  const rows = autos.map((auto) => {
    const at = (/** @type {string} */ name) =>
      results.find(({ shape, contestant }) => shape === auto.shape && contestant === name);
    const times = names.map((name) => milliseconds(at(name)?.ms));
    return [auto.shape.join(', '), auto.chosen ?? '', ...times, ratio(auto.perBest)];
  });
  const worst = Math.max(...autos.map(({ perBest }) => perBest ?? 0));
  const summary = `worst ${ratio(worst)}; above 1.15: ${autos.filter(({ perBest }) => (perBest ?? 0) > 1.15).length} of ${autos.length}`;
  return `${table(['T, N, C, S', 'auto is', ...names.map((name) => `${name} ms`), 'auto/best'], rows)}\n\n${summary}`;
}
