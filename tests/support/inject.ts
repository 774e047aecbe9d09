/**
 * Connections with faults, without a server.
 *
 * @module
 */

import { FaultInjector } from "../../lib/faults/fault_injector.ts";
import { FaultyConn } from "../../lib/faults/faulty_conn.ts";
import type { Faults } from "../../lib/net/fault_options.ts";

/** A connection with the faults that a server would inject into connection `id`. */
export function inject(
  conn: Deno.Conn,
  faults: Faults,
  { id = 1, limitReads = true } = {},
): FaultyConn {
  const faulty = new FaultyConn(conn, { limitReads });
  faulty.setFaults(new FaultInjector(faults).faultsOf(id));
  return faulty;
}
