import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { PingIntervals } from "../../lib/client/ping_intervals.ts";
import { PingRecorder } from "../../lib/client/ping_recorder.ts";

const START = Date.UTC(2026, 0, 1);

describe("PingRecorder", () => {
  it("computes the summary at any time", () => {
    const recorder = new PingRecorder(START);
    assertEquals(recorder.summary(0).intervals, []);
    assertEquals([recorder.summary(0).loss, recorder.summary(0).jitter], [
      0,
      0,
    ]);
    recorder.record(1, 1);
    recorder.record(undefined, 900);
    recorder.record(4, 1_004);
    assertEquals(recorder.summary(1_010).received, 2);
    recorder.record(2, 2_002);
    const summary = recorder.summary(2_003);
    assertEquals([summary.sent, summary.received], [4, 3]);
    assertAlmostEquals(summary.loss, 0.25);
    assertEquals(summary.duration, 2_003);
    assertEquals([summary.rtt.min, summary.rtt.max], [1, 4]);
    // The lost probe is skipped: |4 - 1| and |2 - 4|.
    assertEquals(summary.jitter, 2.5);
    const counted = summary.buckets.reduce((sum, { count }) => sum + count, 0);
    assertEquals(counted, 3);
    assertEquals(
      summary.intervals.map(({ messages, errors }) => [messages, errors]),
      [[1, 1], [1, 0], [1, 0]],
    );
  });
});

describe("PingIntervals", () => {
  it("has the figures of each second, also of the current one", () => {
    const intervals = new PingIntervals(START);
    for (let i = 1; i <= 100; i++) intervals.record(101 - i, i);
    intervals.record(undefined, 999);
    intervals.record(7, 1_000);
    assertEquals(intervals.list(1_500), [{
      elapsed: 1_000,
      timestamp: "2026-01-01T00:00:01.000Z",
      messages: 100,
      messagesPerSecond: 100,
      errors: 1,
      p50: 50,
      p99: 99,
      max: 100,
    }, {
      elapsed: 1_500,
      timestamp: "2026-01-01T00:00:01.500Z",
      messages: 1,
      messagesPerSecond: 1,
      errors: 0,
      p50: 7,
      p99: 7,
      max: 7,
    }]);
  });

  it("leaves out seconds without a probe", () => {
    const intervals = new PingIntervals(START);
    intervals.record(1, 500);
    intervals.record(1, 86_400_500);
    assertEquals(
      intervals.list(86_400_500).map(({ elapsed }) => elapsed),
      [1_000, 86_400_500],
    );
  });

  it("merges neighbours when there are more than 3,600", () => {
    const intervals = new PingIntervals(START);
    for (let second = 0; second < 3_600; second++) {
      intervals.record(1 + second % 2, second * 1_000);
    }
    assertEquals(intervals.list(3_599_500).length, 3_600);
    for (let second = 3_600; second < 10_000; second++) {
      intervals.record(undefined, second * 1_000 + 1);
      intervals.record(1 + second % 2, second * 1_000 + 2);
    }
    const list = intervals.list(10_000_000);
    // Of four seconds each.
    assertEquals(list.length, 2_500);
    assertEquals(list[0], {
      elapsed: 4_000,
      timestamp: "2026-01-01T00:00:04.000Z",
      messages: 4,
      messagesPerSecond: 1,
      errors: 0,
      p50: 2,
      p99: 2,
      max: 2,
    });
    assertEquals(list.at(-1)!.elapsed, 10_000_000);
    const sum = (key: "messages" | "errors") =>
      list.reduce((total, interval) => total + interval[key], 0);
    assertEquals([sum("messages"), sum("errors")], [10_000, 6_400]);
  });
});
