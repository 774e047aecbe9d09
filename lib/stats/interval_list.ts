/**
 * The intervals of a run in bounded memory. When there are too many, neighbours are
 * merged, and from then on each entry covers twice as many of them.
 *
 * ```ts
 * import { IntervalList } from "./interval_list.ts";
 *
 * const intervals = new IntervalList();
 * intervals.list(); // []
 * ```
 *
 * @module
 */

import { type Interval, mergeFigures } from "./interval.ts";

/** An hour of seconds. */
const MAX_INTERVALS = 3_600;

/** The intervals of a run; see above. */
export class IntervalList {
  readonly #max: number;
  #list: Interval[] = [];
  // How many intervals an entry covers, and how many the last one covers so far.
  #span = 1;
  #inLast = 1;

  /** Keeps at most `max` entries, an even number. */
  constructor(max: number = MAX_INTERVALS) {
    this.#max = max;
  }

  /** Adds the next interval. */
  add(interval: Interval): void {
    if (this.#inLast === this.#span && this.#list.length === this.#max) {
      this.#mergePairs();
    }
    this.#append(this.#list, interval);
    this.#inLast = this.#inLast % this.#span + 1;
  }

  /** The intervals so far, and `current`, which is still under way. */
  list(current?: Interval): Interval[] {
    const list = [...this.#list];
    if (current) this.#append(list, current);
    return list;
  }

  #append(list: Interval[], interval: Interval): void {
    if (this.#inLast === this.#span) list.push(interval);
    else list.push(merge(list.pop()!, interval, list.at(-1)?.elapsed));
  }

  #mergePairs(): void {
    const merged: Interval[] = [];
    for (let i = 0; i < this.#list.length; i += 2) {
      const [first, second] = [this.#list[i]!, this.#list[i + 1]!];
      merged.push(merge(first, second, merged.at(-1)?.elapsed));
    }
    this.#list = merged;
    this.#span *= 2;
    this.#inLast = this.#span;
  }
}

/** Two neighbours as one interval, which starts at `from`. */
function merge(first: Interval, second: Interval, from = 0): Interval {
  const figures = mergeFigures(first, second);
  const time = second.elapsed - from;
  return {
    ...figures,
    timestamp: second.timestamp,
    messagesPerSecond: time > 0 ? figures.messages / time * 1_000 : 0,
  };
}
