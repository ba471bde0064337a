// The lattice for those who do not see it: a grid of the cells around the cursor, one of which has focus.
import type { Cell } from '../engine/analysis.js';
import type { Stage } from './stage.js';

/** Rows above and below the cursor, columns to its sides. */
const [rowsAround, columnsAround] = [2, 3];

/**
 * Mirrors the cells around `cursor` into the stage's grid. Arrows, Home, End and Page keys move, `move` is told.
 */
export class CellGrid {
  readonly #stage: Stage;
  readonly #move: (cell: Cell) => void;
  #frames = 1;
  #states = 1;
  #cursor: Cell = { t: 0, s: 0 };
  #nameOf: (cell: Cell) => string = () => '';

  constructor(stage: Stage, move: (cell: Cell) => void) {
    this.#stage = stage;
    this.#move = move;
    Object.assign(stage.grid, {
      role: 'grid',
      ariaLabel: 'Lattice: frames across, states down. Arrow keys move.',
      ariaReadOnly: 'true',
    });
    stage.grid.addEventListener('keydown', (event) => this.#press(event));
    stage.listen(() => this.#place());
  }

  show(frames: number, states: number, cursor: Cell, nameOf: (cell: Cell) => string): void {
    const hadFocus = this.#stage.grid.contains(document.activeElement);
    this.#frames = frames;
    this.#states = states;
    this.#cursor = cursor;
    this.#nameOf = nameOf;
    const { grid } = this.#stage;
    grid.ariaColCount = String(frames);
    grid.ariaRowCount = String(states);
    const range = (at: number, around: number, total: number) => {
      const first = Math.max(0, Math.min(at - around, total - 2 * around - 1));
      return Array.from({ length: Math.min(total, 2 * around + 1) }, (_, i) => first + i);
    };
    const columns = range(cursor.t, columnsAround, frames);
    grid.replaceChildren(
      ...range(cursor.s, rowsAround, states).map((s) => {
        const row = document.createElement('div');
        row.role = 'row';
        row.ariaRowIndex = String(s + 1);
        row.append(
          ...columns.map((t) => {
            const cell = document.createElement('div');
            cell.role = 'gridcell';
            cell.ariaColIndex = String(t + 1);
            cell.ariaSelected = String(t === cursor.t && s === cursor.s);
            cell.textContent = this.#nameOf({ t, s });
            cell.dataset.t = String(t);
            cell.dataset.s = String(s);
            cell.tabIndex = t === cursor.t && s === cursor.s ? 0 : -1;
            return cell;
          }),
        );
        return row;
      }),
    );
    this.#place();
    if (hadFocus) this.focus();
  }

  focus(): void {
    this.#stage.grid.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true });
  }

  #place(): void {
    for (const cell of this.#stage.grid.querySelectorAll<HTMLElement>('[role="gridcell"]')) {
      const { left, top, width, height } = this.#stage.boxOf({
        t: Number(cell.dataset.t),
        s: Number(cell.dataset.s),
      });
      Object.assign(cell.style, {
        ...{ left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` },
      });
    }
  }

  #press(event: KeyboardEvent): void {
    const { t, s } = this.#cursor;
    const far = Math.max(1, Math.round(this.#frames / 10));
    const moves: Record<string, Cell> = {
      ArrowLeft: { t: t - 1, s },
      ArrowRight: { t: t + 1, s },
      ArrowUp: { t, s: s - 1 },
      ArrowDown: { t, s: s + 1 },
      Home: { t: 0, s: event.ctrlKey ? 0 : s },
      End: { t: this.#frames - 1, s: event.ctrlKey ? this.#states - 1 : s },
      PageUp: { t: t - far, s },
      PageDown: { t: t + far, s },
    };
    const to = moves[event.key];
    if (to) {
      const within = (at: number, total: number) => Math.max(0, Math.min(total - 1, at));
      this.#move({ t: within(to.t, this.#frames), s: within(to.s, this.#states) });
    } else if (event.key === '+' || event.key === '=') this.#stage.zoomBy(1.5);
    else if (event.key === '-') this.#stage.zoomBy(1 / 1.5);
    else if (event.key === '0') this.#stage.fit();
    else return;
    event.preventDefault();
  }
}
