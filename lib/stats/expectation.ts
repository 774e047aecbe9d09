/**
 * Conditions on the figures of a run, such as `p99<5ms`: read from text, checked
 * against a summary, and printed with what was measured.
 *
 * ```ts
 * import * as expectation from "./expectation.ts";
 * import type { LoadSummary } from "./summaries.ts";
 * declare const summary: LoadSummary;
 * const conditions = [expectation.parseExpectation("p99 < 5ms", "load")];
 * expectation.checkExpectations(conditions, summary)
 *   .map(expectation.formatExpectation); // ["p99<5ms: met (3.2 ms)"]
 * ```
 *
 * @module
 */

import { closestString } from "@std/text/closest-string";
import { formatCount, formatFixed } from "./format.ts";
import {
  hasMetric,
  measure,
  metricsOf,
  type Mode,
  type Unit,
  unitOf,
} from "./metrics.ts";
import type {
  ExpectationResult,
  LoadSummary,
  PingSummary,
} from "./summaries.ts";

export type { ExpectationResult };

/** How a metric is compared with its limit. */
export type Operator = "<" | "<=" | ">" | ">=" | "=";

const COMPARE: Record<Operator, (measured: number, limit: number) => boolean> =
  {
    "<": (measured, limit) => measured < limit,
    "<=": (measured, limit) => measured <= limit,
    ">": (measured, limit) => measured > limit,
    ">=": (measured, limit) => measured >= limit,
    "=": (measured, limit) => measured === limit,
  };

/** A condition on a metric. */
export interface Expectation {
  /** The condition without blanks, such as `p99<5ms`. */
  readonly text: string;
  /** What is measured, such as `p99.9`. */
  readonly metric: string;
  /** How it is compared. */
  readonly op: Operator;
  /** With what: milliseconds, a share from 0 to 1, or a number. */
  readonly limit: number;
  /** The unit of the text, such as `ms` or `%`; empty for a number. */
  readonly unit: string;
}

/** Powers of ten from the unit of a text to that of the metric. */
const EXPONENTS: Record<string, number> = {
  us: -3,
  "µs": -3, // U+00B5, as on keyboards
  "μs": -3, // U+03BC, as Unicode prefers
  ms: 0,
  s: 3,
  "%": -2,
  "": 0,
};

const DECIMAL = String.raw`\d+(?:\.\d+)?`;
// Thousands as this program prints them, so that a figure can be pasted.
const GROUPED = String.raw`\d{1,3}(?:,\d{3})+|\d+`;

/** How the value of a metric is written: its number, then its unit. */
const VALUES: Record<Unit, { pattern: RegExp; expected: string; max: number }> =
  {
    duration: {
      pattern: new RegExp(`^(${DECIMAL})\\s*(us|µs|μs|ms|s)$`),
      expected: "a number with the unit us, ms or s, such as 5ms",
      max: Number.MAX_VALUE,
    },
    percentage: {
      pattern: new RegExp(`^(${DECIMAL})\\s*(%)$`),
      expected: "a percentage from 0% to 100%, such as 0.5%",
      max: 1,
    },
    rate: {
      pattern: new RegExp(`^((?:${GROUPED})(?:\\.\\d+)?)()$`),
      expected: "messages a second without a unit, such as 9000",
      max: Number.MAX_VALUE,
    },
    count: {
      pattern: new RegExp(`^(${GROUPED})()$`),
      expected: "a whole number without a unit, such as 0",
      max: Number.MAX_VALUE,
    },
    share: {
      pattern: new RegExp(`^(${DECIMAL})()$`),
      expected: "a number from 0 to 1, such as 0.99",
      max: 1,
    },
  };

/** Names that other programs use, and ping(8). */
const SYNONYMS = new Map([
  ["p999", "p99.9"],
  ["median", "p50"],
  ["avg", "mean"],
  ["mdev", "stddev"],
]);

/** @throws {RangeError} unless it is a metric, and one of the mode. */
function checkMetric(name: string, mode?: Mode): void {
  const metrics = metricsOf(mode);
  const list = `${metrics.slice(0, -1).join(", ")} or ${metrics.at(-1)}`;
  if (unitOf(name) === undefined) {
    const nearest = SYNONYMS.get(name) ??
      closestString(name.toLowerCase(), ["p99", ...metrics.slice(1)]);
    throw new RangeError(
      `expected ${list} at its start: did you mean ${nearest}?`,
    );
  }
  if (mode && !hasMetric(name, mode)) {
    throw new RangeError(
      `expected a metric that ${mode} measures (${list}), not ${name}`,
    );
  }
}

/**
 * Reads a condition: a metric, one of `<`, `<=`, `>`, `>=` and `=` (or `==`), and
 * a value with the unit of the metric. Blanks may stand between them.
 *
 * @throws {RangeError} if it is not one, or if `mode` is given and does not
 * measure the metric. The message starts with "expected", to follow the text.
 */
export function parseExpectation(text: string, mode?: Mode): Expectation {
  const [, metric, sign, value] =
    /^\s*([^\s<>=]+)\s*(<=|>=|==|=|<|>)\s*(\S.*)$/.exec(text) ?? [];
  if (metric === undefined || sign === undefined || value === undefined) {
    throw new RangeError(
      "expected a metric, one of < <= > >= = and a value, such as p99<5ms",
    );
  }
  checkMetric(metric, mode);
  const { pattern, expected, max } = VALUES[unitOf(metric)!];
  const [, number, unit] = pattern.exec(value.trim()) ?? [];
  // Scaled as text, which rounds once: 0.7% is the double nearest to 0.007.
  const limit = number === undefined || unit === undefined
    ? NaN
    : Number(`${number.replaceAll(",", "")}e${EXPONENTS[unit]}`);
  if (!(limit <= max)) {
    throw new RangeError(`expected ${expected}, as the value of ${metric}`);
  }
  const op = (sign === "==" ? "=" : sign) as Operator;
  const condition = `${metric}${op}${number}${unit}`;
  return { text: condition, metric, op, limit, unit: unit! };
}

/**
 * Checks conditions against the summary of a run, in full precision. What missing
 * messages could still change counts against the condition.
 */
export function checkExpectations(
  expectations: readonly Expectation[],
  summary: LoadSummary | PingSummary,
): ExpectationResult[] {
  return expectations.map(({ text, metric, op, limit }) => {
    const { atLeast, atMost, needs = null } = measure(metric, summary);
    const isKnown = atLeast !== undefined && atMost !== undefined;
    return {
      expectation: text,
      measured: isKnown ? atLeast : null,
      atLeast: isKnown && atMost > atLeast,
      met: isKnown && COMPARE[op](atLeast, limit) && COMPARE[op](atMost, limit),
      needs,
    };
  });
}

/** Digits that a report shows of a latency. */
const SIGNIFICANT_DIGITS = 3;
/** Digits that tell any double from its neighbours. */
const ALL_DIGITS = 17;

/**
 * A figure with as few digits as are significant, but enough that it is on the
 * side of the limit on which it was measured: never "p99<5ms: met (5 ms)".
 */
function rounded(measured: number, agrees: (value: number) => boolean): string {
  const magnitude = Math.floor(Math.log10(measured || 1));
  let digits = Math.max(SIGNIFICANT_DIGITS, magnitude + 1);
  while (digits < ALL_DIGITS && !agrees(+measured.toPrecision(digits))) {
    digits++;
  }
  const decimals = Math.min(Math.max(0, digits - 1 - magnitude), 100);
  return formatFixed(+measured.toPrecision(digits), decimals)
    .replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/** What was measured, in the unit of the condition. */
function measuredText(
  { op, limit, unit }: Expectation,
  { measured, atLeast, met, needs }: ExpectationResult,
): string {
  if (needs !== null) {
    return `too few messages to know: it needs ${formatCount(needs)}`;
  }
  if (measured === null) return "nothing measured";
  const inUnit = (value: number) => value * 10 ** -EXPONENTS[unit]!;
  // Its rounding error is far below the digits that a limit is given with.
  const bound = +inUnit(limit).toPrecision(15);
  const holds = COMPARE[op](measured, limit);
  const text = rounded(
    inUnit(measured),
    (value) => COMPARE[op](value, bound) === (atLeast ? holds : met),
  );
  const suffix = /^[%]?$/.test(unit) ? unit : ` ${unit.replace(/^us$/, "µs")}`;
  return `${atLeast ? "≥ " : ""}${text}${suffix}`;
}

/** A condition with what was measured: `p99<5ms: met (3.2 ms)`. */
export function formatExpectation(result: ExpectationResult): string {
  const { expectation, met } = result;
  const text = measuredText(parseExpectation(expectation), result);
  return `${expectation}: ${met ? "met" : "not met"} (${text})`;
}
