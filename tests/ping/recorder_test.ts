import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { PingRecorder } from "../../lib/ping/recorder.ts";

const OPTIONS = { size: 56, interval: 1_000, connect: false };
const START = Date.UTC(2026, 0, 1);

describe("the record of a ping run", () => {
  it("has its summary at any time", () => {
    const recorder = new PingRecorder(OPTIONS, START);
    const { intervals, loss, jitter } = recorder.summary(0);
    assertEquals([intervals, loss, jitter], [[], null, null]);
    recorder.reply(0, 1);
    recorder.lost(100, 800, new Error("gone"));
    recorder.reply(1_000, 4);
    assertEquals(recorder.summary(1_010).received, 2);
    recorder.reply(2_000, 2);
    recorder.unanswered(2_002, 50);
    const summary = recorder.summary(2_060);
    assertEquals([summary.sent, summary.received], [5, 3]);
    assertEquals([summary.failed, summary.unanswered], [1, 1]);
    assertAlmostEquals(summary.loss!, 0.4);
    assertEquals([summary.latency.min, summary.latency.max], [1, 800]);
    // Lost probes are skipped: |4 - 1| and |2 - 4|.
    assertEquals(summary.jitter, 2.5);
    assertEquals([summary.errors, summary.firstErrors], [
      { error: 1 },
      { error: "gone" },
    ]);
    assertEquals(
      summary.intervals.map(({ received, due, missing, errors }) => [
        received,
        due,
        missing,
        errors,
      ]),
      [[1, 2, 1, 1], [1, 1, 0, 0], [1, 2, 1, 0]],
    );
    assertEquals(summary.timestamp, "2026-01-01T00:00:00.000Z");
    assertEquals(summary.probes.map(({ latency }) => latency), [
      ...[1, null, 4, 2, null],
    ]);
  });

  it("leaves out seconds without a probe, and points beyond 5,000", () => {
    const recorder = new PingRecorder(OPTIONS, START);
    recorder.reply(500, 1);
    recorder.reply(86_400_500, 1);
    assertEquals(recorder.summary(86_400_501).intervals.length, 2);
    for (let i = 0; i < 5_000; i++) recorder.reply(86_400_600, 1);
    assertEquals(recorder.summary(86_400_601).probes, []);
  });
});
