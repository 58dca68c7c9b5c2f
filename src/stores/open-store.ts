import type { AwsSettings } from "../aws/aws.ts";
import { RowcallError } from "../core/errors.ts";
import { getOwn } from "../core/json.ts";
import type { ObjectStore } from "../core/object-store.ts";
import { suggest } from "../core/schema.ts";
import type { Clock } from "../core/services.ts";
import { schemeOf } from "../core/uri.ts";

/** What opening stores takes. */
export interface StoreOptions {
  /** Where relative paths start. */
  readonly baseDirectory: string;
  /** Absolute path of a folder whose files are this user's alone; elsewhere the user's own `umask` says. @default none */
  readonly privateFolder?: string;
  /** How AWS is reached. @default AWS itself, by the SDK's own rules */
  readonly aws?: AwsSettings;
  /** @default Date.now */
  readonly clock?: Clock;
  /** Stores of other schemes, opened when their first URI comes; one of a known scheme replaces it. @default none */
  readonly stores?: Readonly<Record<string, OpenStore>>;
  /** Whether a redirect of a web server to this address is followed. @default any is */
  readonly mayFollow?: (uri: string) => Promise<boolean>;
}

/** Opens the store of a scheme. */
export type OpenStore = (options: StoreOptions & Required<Pick<StoreOptions, "aws" | "clock">>) => Promise<ObjectStore>;

const openHttp: OpenStore = async (options) => (await import("./http-store.ts")).openHttpStore(options);

const ownStores: Readonly<Record<string, OpenStore>> = {
  file: async (options) => (await import("./file-store.ts")).openFileStore(options),
  memory: async (options) => (await import("./memory-store.ts")).openMemoryStore(options),
  s3: async (options) => (await import("./s3-store.ts")).openS3Store(options),
  https: openHttp,
  http: openHttp,
};

/**
 * Opens one store over all schemes; each scheme's own store is loaded when its first URI comes.
 *
 * @throws RowcallError STORE_UNKNOWN, from every method, for a scheme that is not in the table
 */
export function openStores(options: StoreOptions): ObjectStore {
  const { aws = { endpoints: {} }, clock = Date.now } = options;
  const stores = { ...ownStores, ...options.stores };
  const opened = new Map<string, Promise<ObjectStore>>();
  const storeOf = async (uri: string): Promise<ObjectStore> => {
    const scheme = schemeOf(uri);
    const open = getOwn(stores, scheme);
    if (open === undefined) throw unknownScheme(uri, Object.keys(stores));
    const store = opened.get(scheme) ?? open({ ...options, aws, clock });
    opened.set(scheme, store);
    return store;
  };
  return {
    async *read(uri, range) {
      yield* (await storeOf(uri)).read(uri, range);
    },
    write: async (uri, content, options) => (await storeOf(uri)).write(uri, content, options),
    stat: async (uri) => (await storeOf(uri)).stat(uri),
    identify: async (uri) => (await storeOf(uri)).identify(uri),
    async *list(prefix) {
      yield* (await storeOf(prefix)).list(prefix);
    },
    delete: async (uri) => (await storeOf(uri)).delete(uri),
    copy: async (from, to, options) => {
      const [source, target] = [await storeOf(from), await storeOf(to)];
      return source === target ? source.copy(from, to, options) : target.write(to, source.read(from), options);
    },
  };
}

function unknownScheme(uri: string, known: readonly string[]): RowcallError {
  const scheme = schemeOf(uri);
  const usable = new Intl.ListFormat("en").format(["A path", ...known.map((name) => `${name}:`)]);
  return new RowcallError("STORE_UNKNOWN", `Unknown kind of URI "${scheme}:" in ${uri}`, {
    hint: `${suggest(scheme, known)} ${usable} can be used; a file whose name begins like that is written ./${uri}.`,
  });
}
