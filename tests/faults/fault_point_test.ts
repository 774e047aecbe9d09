import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { FaultInjector } from "../../lib/faults/fault_injector.ts";
import { FaultPoint } from "../../lib/faults/fault_point.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { FakeConn } from "../support/fakes.ts";
import { utf8 } from "../support/peers.ts";

describe("a fault point", () => {
  it("is the plain connection until there are faults", () => {
    const plain = new FakeConn();
    const point = new FaultPoint(plain, { id: 1 });
    point.set(undefined);
    point.set(new FaultInjector({ latency: 1, toxicity: 0 }));
    assert(point.conn === plain);
    assertEquals([point.isFaulty, point.isCut, point.pending], [
      false,
      false,
      0,
    ]);
    assertEquals(point.counts, undefined);
  });

  it("knows how many bytes are held back", async () => {
    using clock = new FakeClock();
    const plain = new FakeConn();
    const point = new FaultPoint(plain, { id: 1 });
    await point.conn.write(utf8("before"));
    point.set(new FaultInjector({ latency: 100 }));
    await point.conn.write(utf8("held"));
    assertEquals([point.isFaulty, point.pending], [true, 4]);
    let flushed = false;
    const flushing = point.flush().then(() => flushed = true);
    await clock.advance(99);
    assertEquals([flushed, point.pending], [false, 4]);
    await clock.advance(1);
    await flushing;
    assertEquals(point.pending, 0);
    point.set(undefined);
    assertEquals(point.isFaulty, true);
    await point.conn.write(utf8("after"));
    assertEquals(plain.output, utf8("beforeheldafter"));
    assertEquals(point.counts, { latency: 1 });
    point.conn.close();
  });

  it("continues a read that was pending without faults", async () => {
    const plain = new FakeConn();
    const point = new FaultPoint(plain, { id: 1 });
    const buffer = new Uint8Array(10);
    const reading = point.conn.read(buffer);
    point.set(new FaultInjector({ latency: 1 }));
    plain.feed(utf8("abc"));
    assertEquals(await reading, 3);
    plain.feed(utf8("de"));
    assertEquals(await point.conn.read(buffer), 2);
    point.conn.close();
  });

  it("is cut by a limit that is reached when it is set", async () => {
    const plain = new FakeConn();
    let cut = 0;
    const point = new FaultPoint(plain, { id: 1, onCut: () => cut++ });
    point.set(new FaultInjector({ limitData: 0 }));
    assertEquals([cut, point.isCut], [1, true]);
    point.set(new FaultInjector({ limitData: 0 }));
    await settle();
    assertEquals([cut, point.counts, plain.ended], [1, { limitData: 1 }, true]);
    point.conn.close();
  });
});
