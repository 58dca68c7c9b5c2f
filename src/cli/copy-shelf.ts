import { RowcallError } from "../core/errors.ts";
import { formatReference } from "../core/registry.ts";
import { bundledRegistry, registryAddress } from "../app/wire.ts";
import type { Cli } from "./cli.ts";
import { chooseDocuments, copyDocuments, type CopyResult } from "./copy-documents.ts";
import { openAlone } from "./open-registry.ts";
import { count, printJson, printLines, printWarnings } from "./output.ts";
import type { ShelfFace } from "./shelf-face.ts";

const said = {
  copied: "copied",
  equal: "is there already",
  differs: "differs from what is there, not copied",
  failed: "not copied",
} as const satisfies Record<CopyResult["result"], string>;

/**
 * Copies documents from the registries to another one and says what became of each. What could not be copied is an error at the
 * end: exit code 2.
 *
 * @param references - `name` or `name@version`; none for all but those that come with the package
 * @param to - the other registry's address
 */
export async function copyShelf<T>(
  cli: Cli,
  face: ShelfFace<T>,
  references: readonly string[],
  to: string,
  json: boolean,
): Promise<void> {
  const wiring = await cli.wire();
  const address = registryAddress(to, wiring.services.baseDirectory);
  const source = openAlone(wiring, wiring.registries, references.length === 0 ? undefined : bundledRegistry);
  const readable = await face.shelf(source.registry).list();
  await printWarnings(cli.io, source.problems);
  const documents = chooseDocuments(face, readable, references);

  const target = face.shelf(openAlone(wiring, [address]).registry);
  const results: CopyResult[] = [];
  for await (const result of copyDocuments(face, documents, target)) {
    results.push(result);
    if (!json) await printLines(cli.io.stdout, [`${formatReference(result)}: ${said[result.result]}`]);
  }
  const problems = results.flatMap(({ problem }) => problem ?? []);
  // Who names nothing wants everything.
  const unread = references.length === 0 ? source.problems.length : 0;
  if (json) {
    await printJson(cli.io, { registry: address, results, unreadable: source.problems.map(({ message }) => message) });
    if (problems.length + unread > 0) cli.setExitCode(2);
    return;
  }
  const copied = results.filter(({ result }) => result === "copied").length;
  await printLines(cli.io.stderr, [`${count(copied, face.noun)} copied to ${address}`]);
  if (problems.length > 0) throw notCopied(face, address, problems);
  if (unread > 0) cli.setExitCode(2);
}

function notCopied<T>(
  { noun }: ShelfFace<T>,
  address: string,
  problems: readonly NonNullable<CopyResult["problem"]>[],
): RowcallError {
  const [first] = problems;
  const lines = problems.map(({ path, message }) => [path, message].filter(Boolean).join(": "));
  return new RowcallError(
    first?.code ?? "VERSION_EXISTS",
    `${count(problems.length, noun)} could not be copied to ${address}: ${lines.join("; ")}`,
    { ...(first?.hint === undefined ? {} : { hint: first.hint }), details: { problems } },
  );
}
