// Which part of the lattice is seen, and what moves it.

/** A half-open interval of frames or of states, in fractions of cells. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

export interface Viewport {
  readonly frames: Span;
  readonly states: Span;
}

/** Nothing is magnified beyond this many cells to the width. */
const fewest = 4;

export const lengthOf = ({ first, end }: Span): number => end - first;

export const whole = (frames: number, states: number): Viewport => ({
  frames: { first: 0, end: frames },
  states: { first: 0, end: states },
});

/** Moves a span into [0, total), keeping its length where that fits. */
function within({ first, end }: Span, total: number): Span {
  const length = Math.min(total, Math.max(Math.min(fewest, total), end - first));
  const start = Math.min(total - length, Math.max(0, first));
  return { first: start, end: start + length };
}

export function pan(view: Viewport, dt: number, ds: number, all: Viewport): Viewport {
  const moved = (span: Span, by: number, { end }: Span) =>
    within({ first: span.first + by, end: span.end + by }, end);
  return { frames: moved(view.frames, dt, all.frames), states: moved(view.states, ds, all.states) };
}

/** Zooms about a point, given as shares of what is seen: what lies there stays there. */
export function zoom(view: Viewport, factor: number, x: number, y: number, all: Viewport): Viewport {
  const zoomed = (span: Span, at: number, { end }: Span) => {
    const fixed = span.first + at * lengthOf(span);
    const length = Math.min(end, Math.max(Math.min(fewest, end), lengthOf(span) / factor));
    return within({ first: fixed - at * length, end: fixed + (1 - at) * length }, end);
  };
  return { frames: zoomed(view.frames, x, all.frames), states: zoomed(view.states, y, all.states) };
}

/** Moves the view as little as it takes to see a cell. */
export function reveal(view: Viewport, t: number, s: number, all: Viewport): Viewport {
  const by = ({ first, end }: Span, at: number) =>
    at < first ? at - first : at + 1 > end ? at + 1 - end : 0;
  return pan(view, by(view.frames, t), by(view.states, s), all);
}

/** States that a band shows above and below the path, and at least in all. */
const [margin, leastBand] = [3, 12];

/**
 * The states about a path in the frames that are seen, so that time alone has to be moved and magnified. Where all frames are
 * seen, all states are. `shown`: a state that is seen in any case.
 */
export function banded(view: Viewport, path: Int32Array, all: Viewport, shown?: number): Viewport {
  const { frames } = view;
  if (lengthOf(frames) >= all.frames.end) return { frames, states: all.states };
  const at = (t: number) => path[Math.max(0, Math.min(path.length - 1, Math.floor(t)))]!;
  let [first, end] = [at(frames.first), at(frames.end - 1) + 1];
  if (shown !== undefined) [first, end] = [Math.min(first, shown), Math.max(end, shown + 1)];
  const length = Math.min(all.states.end, Math.max(leastBand, end - first + 2 * margin));
  const middle = (first + end) / 2;
  return { frames, states: within({ first: middle - length / 2, end: middle + length / 2 }, all.states.end) };
}

/** Frames and states that are seen of what is looked at from near. */
const near = { frames: 60, states: 25 };

/** A cell in the middle, from near. What is seen from nearer stays so near. */
export function approach(view: Viewport, t: number, s: number, all: Viewport): Viewport {
  const about = (span: Span, at: number, most: number, { end }: Span) => {
    const length = Math.min(lengthOf(span), most);
    return within({ first: at + 0.5 - length / 2, end: at + 0.5 + length / 2 }, end);
  };
  return {
    frames: about(view.frames, t, near.frames, all.frames),
    states: about(view.states, s, near.states, all.states),
  };
}

/** Turns the page, as in a book, where something that goes on to the right and downwards is not seen. */
export function follow(view: Viewport, frame: number, state: number | undefined, all: Viewport): Viewport {
  const { frames, states } = view;
  const isSeen = ({ first, end }: Span, from: number, to: number) => from >= first && to <= end;
  const dt = isSeen(frames, frame, frame) ? 0 : frame - frames.first;
  // with some room above it: where it has just been
  const ds =
    state === undefined || isSeen(states, state, state + 1) ? 0 : state - states.first - lengthOf(states) / 4;
  return dt === 0 && ds === 0 ? view : pan(view, dt, ds, all);
}

/** From cells to CSS pixels along one axis. */
export const scaleTo = (span: Span, pixels: number): ((at: number) => number) => {
  const perCell = pixels / lengthOf(span);
  return (at) => (at - span.first) * perCell;
};
