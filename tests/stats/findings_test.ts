import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseExpectation } from "../../lib/stats/expectation.ts";
import { findings, judge, rateAnswer } from "../../lib/stats/findings.ts";
import type {
  LoadSummary,
  RateSearchSummary,
} from "../../lib/stats/summaries.ts";
import { loadSummary, pingSummary } from "../support/summaries.ts";

const lag = { p50: 0.01, p99: 0.05, max: 1 };

describe("the findings of a load run", () => {
  it("are none where all is well", () => {
    assertEquals(findings(loadSummary({ rate: 5_000, lag })), []);
  });

  for (
    const [fields, severity, message] of [
      [
        { errors: { timeout: 3 }, firstErrors: { timeout: "nothing" } },
        "error",
        /^3 messages timed out; the first: nothing$/,
      ],
      [
        { errors: { unexpectedEof: 1 }, firstErrors: { unexpectedEof: "x" } },
        "error",
        /^1 connection was closed before a whole echo came back; /,
      ],
      [
        { errors: { odd: 2 }, firstErrors: { odd: "x" } },
        "error",
        /^2 odd errors; /,
      ],
      [
        { dropped: 5, droppedBy: { down: 5, slow: 0, client: 0 } },
        "error",
        /^5 scheduled messages were not sent: there was no connection to the/,
      ],
      [
        { dropped: 1_500, droppedBy: { down: 0, slow: 1_200, client: 300 } },
        "error",
        /: 1,200 because their connections still .*, 300 because this client/,
      ],
      [{ starved: 1 }, "warning", /^1 connection got no echo at all$/],
      [{ cpuUtilization: 0.9 }, "warning", /busy 90% of the time/],
      [
        { rate: 100, lag: { ...lag, max: 6.1 }, delayed: 9 },
        "warning",
        /up to 6.1 ms late, and 9 messages over 3 ms/,
      ],
      [
        { rate: 5_000, lag: { ...lag, p99: 1.2 } },
        "note",
        /^messages left 10 µs \(p50\) to 1.2 ms \(p99\) after they were due/,
      ],
      [{ reconnects: 2 }, "note", /^the server closed 2 connections between/],
    ] as [Partial<LoadSummary>, string, RegExp][]
  ) {
    it(`say, as ${severity}: ${message.source}`, () => {
      const found = findings(loadSummary(fields));
      assertEquals(found.length, 1);
      assertEquals(found[0]!.severity, severity);
      assertMatch(found[0]!.message, message);
    });
  }

  it("say how long the unanswered messages had waited", () => {
    const [finding] = findings(loadSummary({}, [1], [3_300, 20]));
    assertEquals(
      finding!.message,
      "2 messages were without an echo at the end, after up to 3.3 s",
    );
  });

  it("say nothing of what is not known", () => {
    const fields = { cpuUtilization: null, starved: null, lag: null };
    assertEquals(findings(loadSummary({ ...fields, rate: 10 })), []);
  });
});

it("the findings of a ping run are its losses, and an interval not kept", () => {
  const kinds = (summary: Parameters<typeof findings>[0]) =>
    findings(summary).map(({ kind }) => kind);
  assertEquals(kinds(pingSummary({ interval: 1 })), []);
  // 1,000 probes in 1 s.
  assertEquals(kinds(pingSummary({ interval: 0.5 })), ["interval"]);
  assertEquals(
    kinds(pingSummary(
      { errors: { timeout: 1 }, firstErrors: { timeout: "x" } },
      [1],
      [2_000],
    )),
    ["timeout", "unanswered"],
  );
});

describe("a run passes", () => {
  for (
    const [fields, conditions, passed] of [
      [{}, [], true],
      [{}, ["p99<5ms"], true],
      [{}, ["p99<1ms"], false],
      [{ errors: { timeout: 1 } }, [], false],
      [{ errors: { timeout: 1 } }, ["p99<5ms"], false],
      [{ errors: { timeout: 1 } }, ["errors<2"], true],
      [{ errors: { timeout: 1 } }, ["loss<1%"], true],
      [{ unanswered: 1 }, [], false],
      [{ unanswered: 1 }, ["errors=0"], false],
      [{ unanswered: 1 }, ["loss<1%"], true],
      [{ dropped: 1 }, [], false],
      [{ dropped: 1 }, ["errors=0"], false],
      [{ dropped: 1 }, ["dropped<2"], true],
      [{ received: 0 }, [], false],
    ] as const
  ) {
    it(`${passed ? "with" : "not with"} ${JSON.stringify(fields)} under ${conditions}`, () => {
      const verdict = judge(
        loadSummary(fields),
        conditions.map((text) => parseExpectation(text)),
      );
      assertEquals(verdict.passed, passed);
      assertEquals(verdict.reasons.length, passed ? 0 : 1);
      assertEquals(verdict.results.length, conditions.length);
    });
  }

  it("of probes where at least one came back", () => {
    assertEquals(judge(pingSummary({}, [1], [2, 3])).passed, true);
    assertEquals(judge(pingSummary({}, [], [2, 3])).passed, false);
  });
});

describe("the answer of a search", () => {
  const found: RateSearchSummary = {
    mode: "rate search",
    timestamp: "2026-01-01T00:00:00.000Z",
    duration: 1,
    steps: [],
    rate: 21_400,
    range: null,
    confirmed: true,
    limitedBy: "server",
  };
  const step = { rate: 1 } as RateSearchSummary["steps"][number];
  for (
    const [fields, answer] of [
      [{}, "highest rate that holds: 21,400 messages/s"],
      [
        { limitedBy: "client" },
        "highest rate that holds: at least 21,400 messages/s (limited by the client)",
      ],
      [
        { limitedBy: "search", confirmed: false, steps: [step] },
        "highest rate that holds: at least 21,400 messages/s (the search ended after 1 step, not confirmed)",
      ],
      [
        { rate: 26_900, range: { from: 26_900, to: 34_900 } },
        "highest rate that holds: from 26,900 to 34,900 messages/s: steps contradict each other",
      ],
      [
        { rate: null, confirmed: false, steps: [step] },
        "no rate holds, not even 1 message/s",
      ],
      [
        { rate: null, confirmed: false, limitedBy: "search" },
        "no rate was found to hold: the search ended too early",
      ],
    ] as [Partial<RateSearchSummary>, string][]
  ) {
    it(answer, () => assertEquals(rateAnswer({ ...found, ...fields }), answer));
  }

  it("comes with a warning where steps contradict each other", () => {
    const [finding] = findings({ ...found, range: { from: 1, to: 2 } });
    assertEquals(finding!.kind, "contradiction");
  });
});
