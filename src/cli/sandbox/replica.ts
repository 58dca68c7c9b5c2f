import { RowcallError } from "../../core/errors.ts";

/** A running replica of the broadband checker. */
export interface Replica {
  /** Such as http://127.0.0.1:40123, without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

interface ReplicaModule {
  startSite(): Promise<Replica>;
}

// A checkout has its sources among the examples; the published package has it compiled.
const places = ["../../../examples/broadband/site/server.ts", "../../replica/server.js"];

/**
 * Starts the replica on a free loopback port.
 *
 * @throws RowcallError DEPENDENCY_MISSING when this copy of Rowcall has none
 */
export async function startReplica(): Promise<Replica> {
  const place = places.find((path) => path.endsWith(import.meta.url.slice(-3))) ?? "";
  try {
    const { startSite } = (await import(new URL(place, import.meta.url).href)) as ReplicaModule;
    return await startSite();
  } catch (cause) {
    throw new RowcallError("DEPENDENCY_MISSING", "This copy of Rowcall lacks the replica of the broadband checker", {
      hint: "Install Rowcall anew: npm install rowcall",
      cause,
    });
  }
}
