import { RowcallError } from "../../core/errors.ts";
import { parseAllowedHosts } from "../allowed-hosts.ts";

/** The hosts that an agent's requests, and the secrets in them, may go to. */
export interface HttpHosts {
  /**
   * Checks where a row's values made a request go.
   *
   * @throws RowcallError HOST_BLOCKED
   */
  require(url: URL): void;
  /** Returns whether a host is written down to the letter: it may lie in a private network. */
  isNamed(hostname: string): boolean;
}

/** The host in an URL with variables; undefined when a variable has a part in it. */
export function hostOfTemplate(url: string): string | undefined {
  const [literal = "", ...others] = url.split("{{");
  const isWhole = others.length === 0 || /^https?:\/\/[^/?#\\]+[/?#\\]/i.test(literal);
  return isWhole ? URL.parse(literal)?.host : undefined;
}

/**
 * Reads the hosts of an agent: the one in its URL, and those it allows besides.
 *
 * @throws RowcallError AGENT_INVALID for an allowed host that is none
 */
export function readHttpHosts({
  url,
  allowed_hosts: listed,
}: {
  readonly url: string;
  readonly allowed_hosts: readonly string[];
}): HttpHosts {
  const own = hostOfTemplate(url);
  const patterns = [...(own === undefined ? [] : [own]), ...listed];
  const allowed = parseAllowedHosts(patterns);
  const named = new Set(
    patterns.filter((pattern) => !pattern.startsWith("*")).map((pattern) => URL.parse(`http://${pattern}`)?.hostname),
  );
  return {
    require(address) {
      if (allowed.allows(address.href)) return;
      throw new RowcallError(
        "HOST_BLOCKED",
        `The row's values lead to host "${address.host}", which is not allowed (allowed: ${allowed.patterns.join(", ")})`,
        {
          hint: `Correct the row. If this host is meant, add "${address.host}" to the agent's config.allowed_hosts.`,
          details: { host: address.host, allowedHosts: allowed.patterns },
        },
      );
    },
    isNamed: (hostname) => named.has(hostname),
  };
}
