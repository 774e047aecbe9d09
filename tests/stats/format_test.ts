import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFixed,
  formatPercent,
  formatRate,
  plural,
} from "../../lib/stats/format.ts";

const CASES: [text: string, formatted: string][] = [
  ["0 ms", formatDuration(0)],
  ["42.3 µs", formatDuration(0.0423)],
  ["0.0423 µs", formatDuration(0.0000423)],
  ["1 ms", formatDuration(0.9996)],
  ["1.5 ms", formatDuration(1.5)],
  ["999 ms", formatDuration(999.4)],
  ["1 s", formatDuration(999.6)],
  ["2.35 s", formatDuration(2_345)],
  ["119 s", formatDuration(119_499)],
  ["2 min 5 s", formatDuration(125_000)],
  ["2 h 3 min", formatDuration(123 * 60_000)],
  ["–", formatDuration(NaN)],
  ["–", formatDuration(null)],
  ["0", formatCount(0)],
  ["999", formatCount(999)],
  ["1,000", formatCount(999.6)],
  ["1,234,567", formatCount(1_234_567)],
  ["-1,234", formatCount(-1_234)],
  ["1,234.50", formatFixed(1_234.5, 2)],
  ["0.9998", formatFixed(0.99984, 4)],
  ["–", formatFixed(Infinity, 2)],
  ["0.5", formatRate(0.5)],
  ["99.1", formatRate(99.12)],
  ["1,235", formatRate(1_234.5)],
  ["1.47%", formatPercent(0.01471)],
  ["0%", formatPercent(0)],
  ["100%", formatPercent(1)],
  ["512 B", formatBytes(512)],
  ["63.5 MB", formatBytes(63_512_000)],
  ["1 MB", formatBytes(999_999)],
  ["1.2 TB", formatBytes(1.2e12)],
  ["1 connection", plural(1, "connection")],
  ["2,000 connections", plural(2_000, "connection")],
];

for (const [text, formatted] of CASES) {
  it(`formats ${text}`, () => assertEquals(formatted, text));
}
