import { hash, randomBytes } from "node:crypto";
import { isSameSecret, openSecret } from "../security/secrets.ts";
import { ApiError } from "./api-error.ts";

/** The one key pair that requests may be signed with. */
export interface EndpointKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What requests are checked against. */
export interface SignatureCheck {
  readonly keys: EndpointKeys;
  /** The endpoint's own: a signature for another region is for another endpoint. */
  readonly region: string;
  /** Signatures that were taken, where others could read requests and send them again; each is taken once then. */
  readonly taken?: TakenSignatures;
}

/** Signatures that were taken, as long as they would be taken again. */
export interface TakenSignatures {
  /** @returns false when the signature was taken before */
  take(signature: string, now: number): boolean;
}

/** Remembers signatures until they are too old to be taken. */
export function rememberSignatures(): TakenSignatures {
  const until = new Map<string, number>();
  return {
    take: (signature, now) => {
      // In the order in which they came, which is that in which they go.
      for (const [old, end] of until) {
        if (end >= now) break;
        until.delete(old);
      }
      if (until.has(signature)) return false;
      until.set(signature, now + 2 * skewMs);
      return true;
    },
  };
}

/** What of a request is signed. */
export interface SignedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Said in vain: the hash is compared with the body itself. */
const bodyHash = "x-amz-content-sha256";
const skewMs = 15 * 60 * 1000;
const form =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request,\s*SignedHeaders=([\w;-]+),\s*Signature=([0-9a-f]{64})$/;

/**
 * Checks a request's Signature Version 4 by signing it again.
 *
 * @param now - milliseconds since 1970, UTC
 * @throws ApiError MissingAuthenticationTokenException, IncompleteSignatureException, UnrecognizedClientException,
 * InvalidSignatureException
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export async function verifySignature(
  request: SignedRequest,
  { keys, region: own, taken }: SignatureCheck,
  now: number,
): Promise<void> {
  const authorization = request.headers.get("authorization");
  if (authorization === null) throw new ApiError("MissingAuthenticationTokenException", "Missing Authentication Token");
  const [, keyId = "", day = "", region = "", service = "", signedHeaders = "", signature = ""] =
    form.exec(authorization) ?? [];
  const date = readDate(request.headers.get("x-amz-date"));
  if (keyId === "" || date === undefined) {
    throw new ApiError(
      "IncompleteSignatureException",
      "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature', and the request an 'X-Amz-Date' header",
    );
  }
  const isKnown = isSameSecret(keyId, keys.accessKeyId);
  if (!isKnown)
    throw new ApiError("UnrecognizedClientException", "The security token included in the request is invalid.");
  if (service !== "states") throw invalid("Credential should be scoped to correct service: 'states'.");
  if (region !== own) throw invalid(`Credential should be scoped to region '${own}', not '${region}'.`);
  requireFresh(date, now);
  const names = signedHeaders.split(";");
  const unsigned = [...request.headers.keys()].filter(
    (name) => name.startsWith("x-amz-") && name !== bodyHash && !names.includes(name),
  );
  if (unsigned.length > 0) throw invalid(`Every X-Amz- header must be signed; not signed: ${unsigned.join(", ")}.`);
  const isWhole = date.text.startsWith(day) && names.includes("host") && hasItsOwnHash(request);
  const expected = await sign(request, keys, { region, service, date: date.at, names });
  if (!isWhole || !isSameSecret(signature, expected)) {
    throw invalid(
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    );
  }
  if (taken?.take(signature, now) === false)
    throw invalid("The request was sent before with this very signature. Sign it again.");
}

interface Scope {
  readonly region: string;
  readonly service: string;
  readonly date: Date;
  /** Of the headers that are signed. */
  readonly names: readonly string[];
}

async function sign(request: SignedRequest, keys: EndpointKeys, { names, date, ...scope }: Scope): Promise<string> {
  const [{ SignatureV4 }, { Sha256 }] = await Promise.all([
    import("@smithy/signature-v4"),
    import("@smithy/core/checksum"),
  ]);
  const { hostname, protocol, pathname, searchParams } = new URL(request.url);
  const signer = new SignatureV4({ ...scope, credentials: keys, sha256: Sha256, applyChecksum: false });
  const headers = names.flatMap((name) => {
    const value = request.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  const signed = await signer.sign(
    {
      method: request.method,
      protocol,
      hostname,
      path: pathname,
      query: Object.fromEntries([...new Set(searchParams.keys())].map((key) => [key, searchParams.getAll(key)])),
      headers: Object.fromEntries(headers),
      body: request.body,
    },
    { signingDate: date, signableHeaders: new Set(names) },
  );
  return /Signature=([0-9a-f]+)$/.exec(signed.headers["authorization"] ?? "")?.[1] ?? "";
}

// The signer believes the hash that a request brings along.
function hasItsOwnHash({ headers, body }: SignedRequest): boolean {
  const stated = headers.get(bodyHash);
  return stated === null || isSameSecret(stated, hash("sha256", body));
}

function readDate(text: string | null): { readonly text: string; readonly at: Date } | undefined {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "") ?? [];
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return text === null || Number.isNaN(at.getTime()) ? undefined : { text, at };
}

function requireFresh({ text, at }: { readonly text: string; readonly at: Date }, now: number): void {
  const [current, earliest, latest] = [now, now - skewMs, now + skewMs].map(stamp);
  if (at.getTime() < now - skewMs)
    throw invalid(`Signature expired: ${text} is now earlier than ${earliest} (${current} - 15 min.)`);
  if (at.getTime() > now + skewMs)
    throw invalid(`Signature not yet current: ${text} is still later than ${latest} (${current} + 15 min.)`);
}

function stamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
}

function invalid(message: string): ApiError {
  return new ApiError("InvalidSignatureException", message);
}

/**
 * The endpoint's keys: made at the first start and kept in the data directory.
 *
 * @throws RowcallError STORE_DENIED
 */
export async function openEndpointKeys(dataDirectory: string): Promise<EndpointKeys> {
  const text = await openSecret(dataDirectory, {
    name: "endpoint-keys",
    what: "endpoint's keys",
    make: () => Object.values(makeEndpointKeys()).join("\n"),
    isValid: (kept) => /^\w{16,}\n[\w-]{32,}$/.test(kept),
  });
  const [accessKeyId = "", secretAccessKey = ""] = text.split("\n");
  return { accessKeyId, secretAccessKey };
}

/** New keys; nobody can guess them. */
export function makeEndpointKeys(): EndpointKeys {
  return {
    accessKeyId: `RCAK${randomBytes(8).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(32).toString("base64url"),
  };
}
