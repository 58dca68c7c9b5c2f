import { z } from "zod";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import type { Catalog } from "../../core/registry.ts";
import { publicationStatus } from "../../core/template.ts";
import { agentKind, templateKind, type CatalogKind } from "../../registry/catalog-place.ts";
import type { ServerContext } from "../server-setup.ts";
import { operation, type Operation } from "./operation.ts";
import { agentDocument, difference, jsonObject, templateDocument, type Difference } from "./schemas.ts";

/** Lists, shows, compares and publishes agents. */
export function agentOperations({ registry, workbench }: ServerContext): readonly Operation[] {
  return catalogOperations(agentKind, registry.agents, agentDocument, workbench.readAgent);
}

/** Lists, shows, compares and publishes templates. */
export function templateOperations({ registry, workbench }: ServerContext): readonly Operation[] {
  return catalogOperations(templateKind, registry.templates, templateDocument, workbench.readTemplate);
}

function catalogOperations<T>(
  { noun, notFound, invalid }: CatalogKind<T>,
  catalog: Catalog<T>,
  document: z.ZodType<T>,
  read: (value: unknown) => T | Promise<T>,
): readonly Operation[] {
  const [title, aNoun] = noun === "agent" ? ["Agent", "an agent"] : ["Template", "a template"];
  const params = z.object({ name: z.string().min(1) });
  const version = z.string().regex(/^\d+\.\d+\.\d+$/, 'must be a version such as "1.0.0"');
  return [
    operation({
      id: `list${title}s`,
      route: `GET /${noun}s`,
      summary: `Every version of every ${noun}`,
      answer: z.object({ [`${noun}s`]: z.array(document) }),
      handle: async () => ({ [`${noun}s`]: await catalog.list() }),
    }),
    operation({
      id: `publish${title}`,
      route: `POST /${noun}s`,
      summary: `Add a version of ${aNoun}; one that is there is never overwritten`,
      body: jsonObject,
      answer: z.object({ registry: z.string().describe("Address of the registry it went to") }),
      status: 201,
      errors: [invalid, "VERSION_EXISTS"],
      handle: async ({ body }) => ({ registry: await catalog.publish(await read(body)) }),
    }),
    operation({
      id: `get${title}`,
      route: `GET /${noun}s/{name}`,
      summary: `One ${noun}: the newest active version, or the one that is named`,
      params,
      query: z.object({ version: version.optional() }),
      answer: document,
      errors: [notFound],
      handle: async ({ params: { name }, query }) => (await catalog.resolve({ name, ...query })) as object,
    }),
    operation({
      id: `diff${title}`,
      route: `GET /${noun}s/{name}/diff`,
      summary: `Where two versions of ${aNoun} differ`,
      params,
      query: z.object({ from: version, to: version }),
      answer: z.object({ from: document, to: document, differences: z.array(difference) }),
      errors: [notFound],
      handle: async ({ params: { name }, query }) => {
        const from = await catalog.resolve({ name, version: query.from });
        const to = await catalog.resolve({ name, version: query.to });
        return { from, to, differences: differences([], from as JsonValue, to as JsonValue) };
      },
    }),
    operation({
      id: `set${title}Status`,
      route: `PUT /${noun}s/{name}/versions/{version}/status`,
      summary: "Give a version another status; nothing else of a version ever changes",
      params: params.extend({ version }),
      body: z.strictObject({ status: publicationStatus }),
      answer: z.object({ registry: z.string() }),
      errors: [notFound],
      handle: async ({ params: reference, body }) => ({ registry: await catalog.setStatus(reference, body.status) }),
    }),
  ];
}

// In the order of the first; entries of lists are compared by their place.
function differences(
  path: Difference["path"],
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): readonly Difference[] {
  if (Array.isArray(before) && Array.isArray(after)) {
    const [old, fresh] = [before as readonly JsonValue[], after as readonly JsonValue[]];
    return Array.from({ length: Math.max(old.length, fresh.length) }).flatMap((_, i) =>
      differences([...path, i], old[i], fresh[i]),
    );
  }
  if (isJsonObject(before) && isJsonObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => differences([...path, key], before[key], after[key]));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
}
