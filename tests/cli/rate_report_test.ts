import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  RATE_HEADER,
  rateAnswer,
  rateLine,
} from "../../lib/cli/rate_report.ts";
import type { RateStep } from "../../lib/stats/rate_step.ts";

const STEP: RateStep = {
  rate: 16_000,
  messagesPerSecond: 15_998.6,
  p50: 0.0871,
  p99: 1.234,
  p999: 12.34,
  dropped: 0,
  verdict: "met",
};

describe("the table of steps", () => {
  it("has a line for each, its columns aligned", () => {
    const steps: RateStep[] = [
      STEP,
      { ...STEP, rate: 32_000, messagesPerSecond: 21_000, dropped: 123_456 },
      { ...STEP, rate: 1.97, messagesPerSecond: 1.97, p999: 1_234 },
      { ...STEP, messagesPerSecond: 0, p50: 0, p99: 0, p999: 0 },
    ];
    steps[1]!.verdict = "client limited";
    steps[2]!.verdict = "not met";
    steps[3]!.verdict = "not met";
    assertEquals([RATE_HEADER, ...steps.map(rateLine)], [
      "   asked/s   reached/s       p50       p99     p99.9    dropped  verdict",
      "    16,000      15,999   87.1 µs   1.23 ms   12.3 ms          0  met",
      "    32,000      21,000   87.1 µs   1.23 ms   12.3 ms    123,456  client limited",
      "      1.97        1.97   87.1 µs   1.23 ms    1.23 s          0  not met",
      "    16,000           0         -         -         -          0  not reached",
    ]);
  });

  it("fits 80 columns with the longest figures", () => {
    const line = rateLine({
      rate: 10_000_000,
      messagesPerSecond: 9_999_999.9,
      p50: 0.9999,
      p99: 999.9,
      p999: 123_456,
      dropped: 1_234_567_890,
      verdict: "client limited",
    });
    assert(line.length <= 80, line);
    assert(line.includes(" 1.2B  client limited"), line);
  });
});

describe("the answer", () => {
  const summary = { steps: [STEP], rate: 21_400, confirmed: true };

  it("is the rate that held twice", () => {
    assertEquals(
      rateAnswer({ ...summary, limitedBy: "server" }),
      "highest rate that holds: 21,400 messages/s",
    );
  });

  it("is a lower bound where the server was not the limit", () => {
    assertEquals(
      rateAnswer({ ...summary, limitedBy: "client" }),
      "highest rate that holds: at least 21,400 messages/s (limited by the client)",
    );
    assertEquals(
      rateAnswer({ ...summary, confirmed: false, limitedBy: "search" }),
      "highest rate that holds: at least 21,400 messages/s (the search ended after 1 step, not confirmed)",
    );
  });

  it("says where no rate holds, and whose fault it is", () => {
    const step: RateStep = { ...STEP, rate: 1, verdict: "not met" };
    const none = { steps: [step], confirmed: false };
    assertEquals(
      rateAnswer({ ...none, limitedBy: "server" }),
      "no rate holds, not even 1 message/s",
    );
    assertEquals(
      rateAnswer({ ...none, limitedBy: "client" }),
      "no rate holds, not even 1 message/s: the client is busy",
    );
    assertEquals(
      rateAnswer({ ...none, steps: [], limitedBy: "search" }),
      "no rate was found to hold: the search ended too early",
    );
  });
});
