import { schemeOf } from "../core/uri.ts";

/**
 * The addresses in `ROWCALL_REGISTRY`, which are separated as in `PATH`. Where that is with a colon, the colon of a URI's scheme
 * does not separate: `./mine:s3://bucket/registry:dynamodb:AgentRegistry`.
 *
 * @param delimiter - of `PATH`: `:` or `;`
 */
export function splitRegistries(text: string, delimiter: string): string[] {
  if (delimiter !== ":") return text.split(delimiter).filter(Boolean);
  return text.match(/(?:(?:dynamodb|file|memory):|[a-z][a-z\d+.-]+:(?=\/\/))?[^:]+/gi) ?? [];
}

/** Whether an address is a path rather than a URI. */
export function isPath(address: string): boolean {
  return schemeOf(address) === "file" && !/^file:/i.test(address);
}
