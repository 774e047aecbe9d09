import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { hostPort, showAddress } from "../lib/address.ts";
import { corrupter } from "../lib/corrupt.ts";
import { within } from "../lib/deadline.ts";
import { grant, permission } from "../lib/place.ts";
import { jsonLine, printable, printableLines } from "../lib/printable.ts";
import { random } from "../lib/random.ts";
import { OLDEST_DENO, refuseOldDeno } from "../lib/runtime.ts";
import { difference } from "../lib/verify.ts";

describe("an address is shown as people write it", () => {
  it("IPv6 in brackets, once", () => {
    assertEquals(hostPort("127.0.0.1", 7), "127.0.0.1:7");
    assertEquals(hostPort("::1", 7), "[::1]:7");
    assertEquals(hostPort("[::1]", 7), "[::1]:7");
  });

  it("a Unix socket by its path, where it has one", () => {
    assertEquals(showAddress({ transport: "unix", path: "/a/b" }), "/a/b");
    assertEquals(showAddress({ transport: "unix", path: "" }), "unix socket");
  });
});

describe("peers' text is made safe for a terminal", () => {
  it("escape sequences, and what reverses the reading order", () => {
    assertEquals(printable("a\x1b[2J\x9b\u202eb"), "a\\x1b[2J\\x9b\\u202eb");
  });

  it("in one line, or with its own lines kept", () => {
    assertEquals(printable("a\n\tb\r"), "a\\x0a\\x09b\\x0d");
    assertEquals(printableLines("a\n\tb\r"), "a\n\tb\\x0d");
  });

  it("in JSON, which stays valid and has the same value", () => {
    const value = { text: 'a\n"\x1b\x7f\x9b\u2028\u202eb\ud800 ü👋' };
    const json = jsonLine(value);
    assertEquals(
      json,
      String
        .raw`{"text":"a\n\"\u001b\u007f\u009b\u2028\u202eb\ud800 ü👋"}`,
    );
    assertEquals(JSON.parse(json), value);
  });

  it("letters and emoji stay what they are", () => {
    assertEquals(printable("grüße 👋 ñ"), "grüße 👋 ñ");
  });
});

describe("a Deno is refused", () => {
  for (const version of ["1.46.3", "2.0.0", "2.9.4", `${OLDEST_DENO}-rc.1`]) {
    it(`that is too old: ${version}`, () => {
      const error = assertThrows(
        () => refuseOldDeno("Cannot go", version),
        Deno.errors.NotSupported,
      );
      assertEquals(
        error.message,
        `Cannot go: it needs Deno ${OLDEST_DENO} or newer, and this is ${version}; run deno upgrade`,
      );
    });
  }

  it("and no newer one", () => {
    for (const version of [OLDEST_DENO, "2.10.0", "2.9.6+1a2b3c4", "3.0.0"]) {
      refuseOldDeno("Cannot go", version);
    }
  });
});

describe("the permission that an end takes", () => {
  it("is said as Deno wants it, and as a shell leaves it", () => {
    assertEquals(grant({ port: 7 }), "--allow-net=127.0.0.1:7");
    assertEquals(grant({ hostname: "::1" }), "'--allow-net=[::1]:12345'");
    assertEquals(
      grant({ path: "/run/e.sock" }),
      "--allow-net=unix:/run/e.sock --allow-read=/run/e.sock --allow-write=/run/e.sock",
    );
    assertEquals(permission("read", "/my ca"), "'--allow-read=/my ca'");
  });
});

describe("bytes are changed", () => {
  it("alike, however the stream is cut", () => {
    const bytes = new Uint8Array(1_000);
    const whole = corrupter(0.1, random(1, 2, 3))(bytes);
    const change = corrupter(0.1, random(1, 2, 3));
    const parts = [100, 1, 700, 199].map((n) => change(new Uint8Array(n)));
    assertEquals(parts.flatMap(({ bytes }) => [...bytes]), [...whole.bytes]);
    assert(whole.changed > 50 && whole.changed < 150);
    assertEquals(whole.changed, whole.bytes.filter((byte) => byte > 0).length);
  });

  it("all of them, none, or hardly ever", () => {
    const changed = (probability: number) =>
      corrupter(probability, random(1, 1, 1))(new Uint8Array(1_000)).changed;
    assertEquals([1, 0, 1e-17, 5e-324].map(changed), [1_000, 0, 0, 0]);
  });
});

describe("the first difference", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  it("is none where all is the same", () => {
    assertEquals(difference(bytes(1, 2), bytes(1, 2, 3)), -1);
    assertEquals(difference(bytes(), bytes()), -1);
  });
  it("is found anywhere, from an offset on", () => {
    assertEquals(difference(bytes(9, 2), bytes(1, 2)), 0);
    assertEquals(difference(bytes(9, 2, 9), bytes(1, 2, 3), 1), 2);
    assertEquals(difference(bytes(9, 2, 9), bytes(1, 2, 3), 1, 2), -1);
    for (let i = 0; i < 100; i++) {
      const sent = crypto.getRandomValues(new Uint8Array(100));
      const received = sent.slice();
      received[i]! ^= 1 << (i % 8);
      assertEquals(difference(received, sent), i);
    }
  });
  it("is where more came than was sent", () => {
    assertEquals(difference(bytes(1, 2, 3), bytes(1, 2)), 2);
    assertEquals(difference(bytes(1, 2, 3), bytes(1), 2), 2);
  });
});

describe("work within a time", () => {
  const late = () => new RangeError("late");
  const forever = (signal: AbortSignal) =>
    new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => reject(new Error("cut off")))
    );

  it("resolves as the work does", async () => {
    assertEquals(
      await within(() => Promise.resolve(1), { timeout: 1e6, late }),
      1,
    );
  });

  it("rejects with what being late is called, not with what it did", async () => {
    await assertRejects(
      () => within(forever, { timeout: 1, late }),
      RangeError,
      "late",
    );
  });

  it("has to be some time", async () => {
    for (const timeout of [0, -1, NaN]) {
      await assertRejects(
        () => within(() => Promise.resolve(), { timeout, late }),
        RangeError,
        `Cannot wait for ${timeout} ms`,
      );
    }
  });

  it("rejects with the caller's reason, and does not begin after it", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const going = within(forever, { timeout: Infinity, signal, late });
    controller.abort(new TypeError("mine"));
    await assertRejects(() => going, TypeError, "mine");
    let began = false;
    await assertRejects(() =>
      within(() => Promise.resolve(began = true), { timeout: 1, signal, late })
    );
    assert(!began);
  });
});
