import ipaddr from "ipaddr.js";
import { RowcallError } from "./errors.ts";

/** Looks the addresses behind a name up, as `lookup` of `node:dns` does. */
type Lookup<Options> = (
  hostname: string,
  options: Options,
  callback: (
    error: Error | null,
    found: string | { readonly address: string; readonly family: number }[],
    family?: number,
  ) => void,
) => void;

/** Keeps connections from places that nobody has named: own machine, private networks, services of a cloud. */
export interface HostGuard<Options> {
  /**
   * Checks a host that is an address; a name is checked when it is looked up.
   *
   * @param hostname - as `URL` has it: every way to write an address is one
   * @throws RowcallError HOST_BLOCKED
   */
  require(hostname: string): void;
  /** Looks a name up, and fails with HOST_BLOCKED when an address behind it is not public. */
  readonly lookup: Lookup<Options>;
}

/**
 * Creates a guard.
 *
 * @param isNamed - whether the operator has written this host down to the letter: it may be anywhere
 * @param lookup - of `node:dns`
 */
export function createHostGuard<Options>(
  isNamed: (hostname: string) => boolean,
  lookup: Lookup<Options>,
): HostGuard<Options> {
  return {
    require(hostname) {
      const address = withoutBrackets(hostname);
      if (ipaddr.isValid(address) && !isNamed(hostname)) requirePublic(hostname, [address]);
    },
    lookup: (hostname, options, callback) => {
      lookup(hostname, options, (error, found, family) => {
        let refusal = error;
        try {
          const addresses = typeof found === "string" ? [found] : found.map(({ address }) => address);
          if (error === null && !isNamed(hostname)) requirePublic(hostname, addresses);
        } catch (refused) {
          refusal = refused as Error;
        }
        callback(refusal, found, family);
      });
    },
  };
}

/** Whether an address is one of the public internet. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== "unicast") return false;
  // Of IPv6 only this eighth is given out; elsewhere lie old ways to write IPv4.
  return parsed instanceof ipaddr.IPv4 || ((parsed.parts[0] ?? 0) & 0xe000) === 0x2000;
}

function requirePublic(hostname: string, addresses: readonly string[]): void {
  const address = addresses.find((one) => !isPublicAddress(one));
  if (address === undefined) return;
  const what = withoutBrackets(hostname) === address ? hostname : `${hostname} (${address})`;
  throw new RowcallError("HOST_BLOCKED", `${what} is not an address of the public internet`, {
    hint: "Only a host that the operator has named to the letter may lie on this machine or in a private network.",
    details: { host: hostname, address },
  });
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
