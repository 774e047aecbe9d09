import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { requestPermissions } from "../../lib/net/endpoint.ts";

/** Answers requests for permissions, and keeps their targets, until disposed. */
class FakePermissions implements Disposable {
  /** The targets that were requested. */
  readonly requested: string[] = [];

  constructor(...granted: string[]) {
    Deno.permissions.requestSync = (descriptor) => {
      const { name, host, path } = descriptor as {
        name: string;
        host?: string;
        path?: string;
      };
      const target = `${name} ${host ?? path}`;
      this.requested.push(target);
      const state = granted.includes(target) ? "granted" : "denied";
      return { state } as Deno.PermissionStatus;
    };
  }

  [Symbol.dispose](): void {
    // The assigned function hides that of the prototype.
    Reflect.deleteProperty(Deno.permissions, "requestSync");
  }
}

const tcp = [{ port: 80 }, { hostname: "::1", port: 6379 }];
const unix = [{ port: 80 }, { path: "/run/db" }];

describe("the permissions to use endpoints", () => {
  it("are those of all of them", () => {
    const targets = [
      "net 127.0.0.1:80",
      "net unix:/run/db",
      "read /run/db",
      "write /run/db",
    ];
    using permissions = new FakePermissions(...targets);
    requestPermissions(unix, "Cannot forward");
    assertEquals(permissions.requested, targets);
  });

  for (
    const granted of [
      [],
      ["net 127.0.0.1:80"],
      ["net [::1]:6379"],
    ]
  ) {
    it(`are all named if only these are granted: ${granted}`, () => {
      using _permissions = new FakePermissions(...granted);
      const error = assertThrows(
        () => requestPermissions(tcp, "Cannot forward"),
        Deno.errors.NotCapable,
      );
      assertEquals(
        error.message,
        "Cannot forward: permission not granted: run again with '--allow-net=127.0.0.1:80,[::1]:6379'",
      );
    });
  }

  for (const missing of ["net unix:/run/db", "read /run/db", "write /run/db"]) {
    it(`of a Unix socket include files: without ${missing}`, () => {
      const all = ["net unix:/run/db", "read /run/db", "write /run/db"];
      using _permissions = new FakePermissions(
        "net 127.0.0.1:80",
        ...all.filter((one) => one !== missing),
      );
      const error = assertThrows(
        () => requestPermissions(unix, "Cannot forward"),
        Deno.errors.NotCapable,
      );
      assertEquals(
        error.message,
        "Cannot forward: permission not granted: run again with --allow-net=127.0.0.1:80,unix:/run/db --allow-read=/run/db --allow-write=/run/db",
      );
    });
  }
});
