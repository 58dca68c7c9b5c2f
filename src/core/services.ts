import type { OpenAgent } from "./agent.ts";
import type { OpenChannel } from "./channel.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Registry } from "./registry.ts";

/** Milliseconds since 1970, UTC; tests pass their own. */
export type Clock = () => number;

/** Milliseconds since some moment; it never jumps, however the machine's clock is set: for waits and durations. */
export type Monotonic = () => number;

/** Both kinds of time. */
export interface Clocks {
  /** For what is shown or kept as a time of day. */
  readonly clock: Clock;
  /** For waits and durations; the same in all processes of a machine, from one start of the machine to the next. */
  readonly monotonic: Monotonic;
}

/** Everything an engine reaches the outside through. */
export interface Services extends Clocks {
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly openAgent: OpenAgent;
  readonly openChannel: OpenChannel;
  /** A number in [0, 1). */
  readonly random: () => number;
  /**
   * Modules that function agents may load beside those of the registry, as paths, where others than who runs Rowcall say what is run: over
   * an API, by an assistant, at an endpoint. Absent: who runs Rowcall says it.
   */
  readonly allowedModules?: readonly string[];
  /** Folder that relative paths start from. */
  readonly baseDirectory: string;
}
