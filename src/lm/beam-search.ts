import { addLogs } from '../problem/logs.js';
import { Texts } from './beam-texts.js';
import type { Knowledge } from './knowledge.js';
import { Ways } from './new-texts.js';
import { Places } from './places.js';
import { type Step, Tree } from './tree.js';

/** A text that a search is left with. */
export interface Hypothesis {
  readonly steps: readonly Step[];
  /** Of its last word, where words are spelled: the exit; else 0. */
  readonly exit: number;
  /** ln of the probability of the ways that the search has added up, and what is known of the whole text. */
  readonly ctc: number;
  readonly known: number;
}

export interface SearchOptions {
  readonly classes: number;
  readonly blank: number;
  readonly width: number;
  /** Texts that are further below the best one, in nats, are dropped. Default −Infinity: none. */
  readonly beamLogProb?: number | undefined;
}

/**
 * Prefix beam search (Graves 2012; Hannun et al. 2014) over texts: after each frame the `width` best ones, told apart by their text and
 * their last label, with the sum over all ways to each. A way to a text that is there is added to it, however unlikely; what is known
 * of another one is asked only where it could be among the best, and is then remembered as long as the text before it is there.
 */
export class BeamSearch {
  readonly #knowledge: Knowledge;
  readonly #blank: number;
  readonly #width: number;
  readonly #beamLogProb: number;
  readonly #tree = new Tree();
  readonly #texts: Texts;
  #active: number[] = [];
  readonly #free: number[];
  /** The node behind which texts begin to differ. */
  #base = -1;
  /** Which text is where. */
  readonly #there: Places;
  readonly #ways: Ways;
  readonly #total: Float64Array;
  readonly #blankNext: Float64Array;
  readonly #labelNext: Float64Array;
  /** Of each class, whether it is looked at in this frame, and whether a text that is there ends in it. */
  readonly #isLookedAt: Uint8Array;
  readonly #isLast: Uint8Array;

  constructor(knowledge: Knowledge, { classes, blank, width, beamLogProb = -Infinity }: SearchOptions) {
    const logs = (count: number) => new Float64Array(count);
    this.#knowledge = knowledge;
    this.#blank = blank;
    this.#width = width;
    this.#beamLogProb = beamLogProb;
    const slots = 2 * width + 1;
    this.#texts = new Texts(knowledge, slots);
    this.#free = Array.from({ length: slots - 1 }, (_, i) => slots - 1 - i);
    this.#there = new Places(width);
    this.#ways = new Ways(width);
    [this.#total, this.#blankNext, this.#labelNext] = [logs(slots), logs(slots), logs(slots)];
    [this.#isLookedAt, this.#isLast] = [new Uint8Array(classes), new Uint8Array(classes)];
    knowledge.begin();
    this.#texts.enter(0, -1, -1, 0);
    this.#texts.ofLabel[0] = -Infinity;
    this.#active.push(0);
  }

  /**
   * Goes on by a frame.
   * @param frame ln of the probability of each class
   * @param labels the classes that are looked at, in descending order of their probability
   */
  push(frame: ArrayLike<number>, labels: ArrayLike<number>): void {
    for (let i = 0; i < labels.length; i++) this.#isLookedAt[labels[i]!] = 1;
    this.#stay(frame);
    this.#merge(frame);
    this.#extend(frame, labels);
    this.#select();
    for (let i = 0; i < labels.length; i++) this.#isLookedAt[labels[i]!] = 0;
  }

  /** What stays as it is: by a blank, or by its last label once more. */
  #stay(frame: ArrayLike<number>): void {
    const { last, ofBlank, ofLabel, low, high } = this.#texts;
    const blank = this.#isLookedAt[this.#blank] ? frame[this.#blank]! : -Infinity;
    this.#there.clear();
    this.#isLast.fill(0);
    for (const slot of this.#active) {
      const total = addLogs(ofBlank[slot]!, ofLabel[slot]!);
      const label = last[slot]!;
      this.#total[slot] = total;
      this.#blankNext[slot] = total + blank;
      this.#labelNext[slot] =
        label >= 0 && this.#isLookedAt[label] ? ofLabel[slot]! + frame[label]! : -Infinity;
      if (label < 0) continue;
      this.#isLast[label] = 1;
      this.#there.find(low[slot]!, high[slot]!, label);
      this.#there.add(low[slot]!, high[slot]!, label, slot);
    }
  }

  /** ln of the probability of going on by a class: by the last one only after a blank. */
  #leaving(slot: number, label: number): number {
    return label === this.#texts.last[slot] ? this.#texts.ofBlank[slot]! : this.#total[slot]!;
  }

  /** Ways from one text that is there to another. */
  #merge(frame: ArrayLike<number>): void {
    const { moveLow, moveHigh } = this.#texts;
    const { isSpelled } = this.#knowledge;
    for (let label = 0; label < this.#isLast.length; label++) {
      if (!this.#isLast[label] || !this.#isLookedAt[label]) continue;
      for (const slot of this.#active) {
        const ctc = this.#leaving(slot, label) + frame[label]!;
        if (ctc === -Infinity) continue;
        const { from, end } = this.#knowledge.choices(label, this.#texts.node(slot));
        for (let exit = from; exit < end || exit === -1; exit++) {
          const i = this.#texts.move(slot, label, exit);
          const to = this.#there.find(moveLow[i]!, moveHigh[i]!, label);
          if (to >= 0 && (!isSpelled || this.#texts.worth(slot, label, exit) > -Infinity))
            this.#labelNext[to] = addLogs(this.#labelNext[to]!, ctc);
        }
      }
    }
  }

  /** Ways to texts that are not there. */
  #extend(frame: ArrayLike<number>, labels: ArrayLike<number>): void {
    const texts = this.#texts;
    const ways = this.#ways;
    const { kinds } = this.#knowledge.tables;
    // ways to one spelled text are several more often, and count together
    const isOpen = this.#active.length < this.#width || this.#knowledge.isSpelled;
    ways.clear(isOpen ? -Infinity : this.#leastStaying());
    for (const slot of this.#active) {
      const known = texts.known[slot]!;
      const total = this.#total[slot]! + known;
      const most = total + texts.most(slot);
      for (let j = 0; j < labels.length; j++) {
        const label = labels[j]!;
        const score = frame[label]!;
        if (most + score < ways.least || score === -Infinity) break;
        if (label === this.#blank) continue;
        const bound = texts.bound(slot, kinds[label] ?? 0) - texts.less(slot, label);
        if (total + score + bound < ways.least) continue;
        const ctc = this.#leaving(slot, label) + score;
        if (ctc === -Infinity) continue;
        const { from, end } = this.#knowledge.choices(label, texts.node(slot));
        for (let exit = from; exit < end || exit === -1; exit++)
          this.#extendBy(slot, label, exit, ctc, known);
      }
    }
  }

  #extendBy(slot: number, label: number, exit: number, ctc: number, known: number): void {
    const worth = this.#texts.worth(slot, label, exit);
    if (!(ctc + known + worth >= this.#ways.least) || worth === -Infinity) return;
    const i = this.#texts.move(slot, label, exit);
    const [low, high] = [this.#texts.moveLow[i]!, this.#texts.moveHigh[i]!];
    if (this.#there.find(low, high, label) >= 0) return;
    this.#ways.add(low, high, label, slot, exit, ctc, known + worth);
  }

  #leastStaying(): number {
    let least = Infinity;
    for (const slot of this.#active) least = Math.min(least, this.#staying(slot));
    return least;
  }

  #staying(slot: number): number {
    return addLogs(this.#blankNext[slot]!, this.#labelNext[slot]!) + this.#texts.known[slot]!;
  }

  /** The best of what stays and of what is new, ties in the order in which they were found. */
  #select(): void {
    const texts = this.#texts;
    const ways = this.#ways;
    const before = this.#active;
    const scores = [
      ...before.map((slot) => this.#staying(slot)),
      ...Array.from({ length: ways.count }, (_, i) => ways.score(i)),
    ];
    const sorted = Float64Array.from(scores).sort();
    const count = Math.min(this.#width, scores.length);
    const least = Math.max(sorted[sorted.length - count]!, sorted[sorted.length - 1]! + this.#beamLogProb);
    let equal = count;
    for (const score of scores) if (score > least) equal--;
    const isKept = scores.map(
      (score) => score > -Infinity && (score > least || (score === least && equal-- > 0)),
    );
    const left = before.filter((_, i) => !isKept[i]);
    this.#active = before.filter((_, i) => isKept[i]);
    for (const slot of this.#active) {
      texts.ofBlank[slot] = this.#blankNext[slot]!;
      texts.ofLabel[slot] = this.#labelNext[slot]!;
    }
    for (let i = 0; i < ways.count; i++) {
      if (!isKept[before.length + i]) continue;
      const [from, label, exit] = [ways.slot[i]!, ways.label[i]!, ways.exit[i]!];
      const slot = this.#free.pop()!;
      texts.stand(from);
      this.#knowledge.move(label, exit);
      texts.enter(slot, label, this.#tree.add(texts.at[from]!, label, exit), ways.known[i]!);
      texts.ofBlank[slot] = -Infinity;
      texts.ofLabel[slot] = ways.ctc[i]!;
      this.#active.push(slot);
    }
    this.#drop(left);
  }

  /** All texts that are left, as if the text ended here; the search can go on. In no order; two may be the same text. */
  hypotheses(): Hypothesis[] {
    const texts = this.#texts;
    return this.#active.flatMap((slot) => {
      const exits = this.#knowledge.isSpelled ? Math.max(1, this.#knowledge.exits(texts.node(slot))) : 1;
      return Array.from({ length: exits }, (_, exit) => {
        texts.stand(slot);
        const known = texts.known[slot]! + this.#knowledge.end(exit);
        const ctc = addLogs(texts.ofBlank[slot]!, texts.ofLabel[slot]!);
        return {
          steps: this.#path(slot).map((node) => this.#tree.step(node)),
          exit,
          ctc,
          known,
        };
      }).filter(({ ctc, known }) => ctc + known > -Infinity);
    });
  }

  /** Leaves those texts that begin as one of them does, by the nodes of its first steps. */
  narrow(steps: readonly Step[]): void {
    const last = (slot: number) => this.#path(slot)[steps.length - 1];
    const begins = (slot: number) => {
      const own = this.#path(slot).map((node) => this.#tree.step(node));
      return steps.every(({ label, exit }, i) => own[i]?.label === label && own[i].exit === exit);
    };
    const kept = last(this.#active.find(begins)!);
    this.#drop(this.#active.filter((slot) => last(slot) !== kept));
    this.#active = this.#active.filter((slot) => last(slot) === kept);
  }

  /** The nodes of a text behind the base. */
  #path(slot: number): number[] {
    return this.#tree.path(this.#texts.at[slot]!, this.#base);
  }

  #drop(slots: readonly number[]): void {
    for (const slot of slots) {
      this.#tree.leave(this.#texts.at[slot]!);
      this.#free.push(slot);
    }
  }

  /** What all texts begin with, which no frame changes any more: `hypotheses` are from now on what comes behind it. @returns what is new of it */
  commit(): Step[] {
    const [first = [], ...others] = this.#active.map((slot) => this.#path(slot));
    const end = first.findIndex((node, i) => others.some((path) => path[i] !== node));
    const common = end < 0 ? first : first.slice(0, end);
    this.#base = common.at(-1) ?? this.#base;
    return common.map((node) => this.#tree.step(node));
  }
}
