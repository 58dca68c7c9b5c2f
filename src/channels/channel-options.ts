import type { Channel } from "../core/channel.ts";
import type { AwsSettings } from "../aws/aws.ts";
import type { Clocks } from "../core/services.ts";

/** Channels of one scheme of addresses. */
export interface ChannelScheme {
  /** How its addresses look. */
  readonly form: string;
  open(address: string, options: ChannelOptions): Promise<Channel>;
}

/** What opening a channel takes. */
export interface ChannelOptions {
  /** Where the console channel writes. */
  readonly write: (text: string) => void;
  /** How AWS is reached. */
  readonly aws: AwsSettings;
  /** A secret by name, from the environment. */
  readonly secret: (name: string) => string | undefined;
  readonly timing: Timing;
  /** Channels of other schemes, by scheme. @default none */
  readonly channels?: Readonly<Record<string, ChannelScheme>>;
}

/** Time and chance of repeated tries; tests bring their own. */
export interface Timing extends Clocks {
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Settles after so long, or rejects as soon as the signal is aborted. */
  readonly wait: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}
