/**
 * Conditions on the figures of a run, such as `p99<5ms`: read from text, checked
 * against a summary, and printed with what was measured.
 *
 * ```ts
 * import * as expectation from "./expectation.ts";
 * import type { LoadFigures } from "./metrics.ts";
 * declare const summary: LoadFigures;
 * const conditions = [expectation.parseExpectation("p99 < 5ms", "load")];
 * expectation.checkExpectations(conditions, "load", summary)
 *   .map(expectation.formatExpectation); // ["p99 3.2 ms < 5 ms: met"]
 * ```
 *
 * @module
 */

import { closestString } from "@std/text/closest-string";
import {
  type Figures,
  measure,
  type Metric,
  METRIC_UNITS,
  metricsOf,
  type Mode,
  type Unit,
} from "./metrics.ts";

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
  /** What is measured. */
  readonly metric: Metric;
  /** How it is compared. */
  readonly op: Operator;
  /** With what: milliseconds, a share from 0 to 1, or a number. */
  readonly limit: number;
  /** The unit of the text, such as `ms` or `%`; empty for a number. */
  readonly unit: string;
}

/** A condition and what came of it. */
export interface ExpectationResult {
  /** The condition, such as `p99<5ms`. */
  expectation: string;
  /**
   * Milliseconds, a share from 0 to 1, or a number, as the metric has it. Absent
   * where nothing was measured, such as a latency where no echo came back.
   */
  measured?: number | undefined;
  /** Whether the condition holds; never where nothing was measured. */
  met: boolean;
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

/** How the value of a metric is written: its number, then its unit. */
interface ValueFormat {
  readonly pattern: RegExp;
  readonly expected: string;
  readonly max?: number | undefined;
}

const DECIMAL = String.raw`\d+(?:\.\d+)?`;
// Thousands as this program prints them, so that a figure can be pasted.
const GROUPED = String.raw`\d{1,3}(?:,\d{3})+|\d+`;

const VALUE_FORMATS: Record<Unit, ValueFormat> = {
  duration: {
    pattern: new RegExp(`^(${DECIMAL})\\s*(us|µs|μs|ms|s)$`),
    expected: "a number with the unit us, ms or s, such as 5ms",
  },
  percentage: {
    pattern: new RegExp(`^(${DECIMAL})\\s*(%)$`),
    expected: "a percentage from 0% to 100%, such as 0.5%",
    max: 1,
  },
  rate: {
    pattern: new RegExp(`^((?:${GROUPED})(?:\\.\\d+)?)()$`),
    expected: "messages a second without a unit, such as 9000",
  },
  count: {
    pattern: new RegExp(`^(${GROUPED})()$`),
    expected: "a whole number without a unit, such as 0",
  },
  share: {
    pattern: new RegExp(`^(${DECIMAL})()$`),
    expected: "a number from 0 to 1, such as 0.99",
    max: 1,
  },
};

/** Names that other programs use, and this one's reports of ping. */
const SYNONYMS = new Map<string, Metric>([
  ["p999", "p99.9"],
  ["median", "p50"],
  ["avg", "mean"],
  ["mdev", "stddev"],
]);

function listed(metrics: readonly string[]): string {
  return `${metrics.slice(0, -1).join(", ")} or ${metrics.at(-1)}`;
}

function parseMetric(name: string, mode?: Mode): Metric {
  const metrics = metricsOf(mode);
  const metric = metricsOf().find((metric) => metric === name);
  if (metric && metrics.includes(metric)) return metric;
  if (metric) {
    throw new RangeError(
      `expected a metric that ${mode} measures (${
        listed(metrics)
      }), not ${metric}`,
    );
  }
  const nearest = SYNONYMS.get(name) ??
    closestString(name.toLowerCase(), metrics);
  throw new RangeError(
    `expected ${listed(metrics)} at its start: did you mean ${nearest}?`,
  );
}

/**
 * Reads a condition: a metric, one of `<`, `<=`, `>`, `>=` and `=` (or `==`), and
 * a value with the unit of the metric. Blanks may stand between them.
 *
 * @throws {RangeError} if it is not one, or if `mode` is given and does not
 * measure the metric. The message starts with "expected", to follow the text.
 */
export function parseExpectation(text: string, mode?: Mode): Expectation {
  const [, name, sign, value] =
    /^\s*([^\s<>=]+)\s*(<=|>=|==|=|<|>)\s*(\S.*)$/.exec(text) ?? [];
  if (name === undefined || sign === undefined || value === undefined) {
    throw new RangeError(
      "expected a metric, one of < <= > >= = and a value, such as p99<5ms",
    );
  }
  const metric = parseMetric(name, mode);
  const { pattern, expected, max = Number.MAX_VALUE } =
    VALUE_FORMATS[METRIC_UNITS[metric]];
  const [, number, unit] = pattern.exec(value.trim()) ?? [];
  // Scaled as text, which rounds once: 0.7% is the double nearest to 0.007.
  const limit = number === undefined || unit === undefined
    ? NaN
    : Number(`${number.replaceAll(",", "")}e${EXPONENTS[unit]}`);
  if (!(limit <= max)) {
    throw new RangeError(`expected ${expected}, as the value of ${metric}`);
  }
  const op = (sign === "==" ? "=" : sign) as Operator;
  return {
    text: `${metric}${op}${number}${unit}`,
    metric,
    op,
    limit,
    unit: unit!,
  };
}

/**
 * Checks conditions against the summary of a run, in full precision.
 *
 * @throws {RangeError} if the mode does not measure one of the metrics.
 */
export function checkExpectations<M extends Mode>(
  expectations: readonly Expectation[],
  mode: M,
  summary: Figures[M],
): ExpectationResult[] {
  return expectations.map(({ text, metric, op, limit }) => {
    const measured = measure(parseMetric(metric, mode), mode, summary);
    return measured === undefined || !Number.isFinite(measured)
      ? { expectation: text, met: false }
      : { expectation: text, measured, met: COMPARE[op](measured, limit) };
  });
}

/** A number with thousands apart and all of its digits. */
function grouped(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 20 });
}

/** Digits that a report shows of a latency. */
const SIGNIFICANT_DIGITS = 3;
/** Digits that tell any double from its neighbours. */
const ALL_DIGITS = 17;

/**
 * A figure with as few digits as are significant, but enough that it is on the
 * side of the limit on which it was measured: never "5 ms < 5 ms: met".
 */
function rounded(measured: number, agrees: (value: number) => boolean): number {
  const whole = Math.max(1, Math.floor(Math.log10(measured || 1)) + 1);
  let digits = Math.max(SIGNIFICANT_DIGITS, whole);
  while (digits < ALL_DIGITS && !agrees(+measured.toPrecision(digits))) {
    digits++;
  }
  return +measured.toPrecision(digits);
}

/** A condition with what was measured: `p99 3.2 ms < 5 ms: met`. */
export function formatExpectation(
  { expectation, measured, met }: ExpectationResult,
): string {
  const { metric, op, limit, unit } = parseExpectation(expectation);
  const exponent = EXPONENTS[unit]!;
  const inUnit = (value: number) => value * 10 ** -exponent;
  // Its rounding error is far below the digits that a limit is given with.
  const bound = +inUnit(limit).toPrecision(15);
  const suffix = unit === "%" || unit === ""
    ? unit
    : ` ${unit.replace(/^us$/, "µs")}`;
  const condition = `${op} ${grouped(bound)}${suffix}`;
  if (measured === undefined) {
    return `${metric} ${condition}: not met (nothing measured)`;
  }
  const shown = rounded(
    inUnit(measured),
    (value) => COMPARE[op](value, bound) === met,
  );
  return `${metric} ${grouped(shown)}${suffix} ${condition}: ${
    met ? "met" : "not met"
  }`;
}
