import { once } from "node:events";
import { createWriteStream } from "node:fs";

/** Writes a table of addresses as the broadband agent takes them. */
export async function writeAddresses(path: string, rows: number): Promise<void> {
  const file = createWriteStream(path);
  file.write("building_number,street,postcode,full_address\n");
  for (let row = 0; row < rows; row += 1) {
    const more = file.write(
      `${row},High Street,SW1A ${row % 10}AA,${row % 4 === 0 ? `"${row} High Street, London"` : ""}\n`,
    );
    if (!more) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
}
