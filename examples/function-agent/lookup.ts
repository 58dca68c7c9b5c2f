const countriesByCode: Readonly<Record<string, string>> = {
  "1": "United States or Canada",
  "31": "Netherlands",
  "33": "France",
  "34": "Spain",
  "44": "United Kingdom",
  "49": "Germany",
  "353": "Ireland",
  "358": "Finland",
  "81": "Japan",
};

interface PhoneInput {
  readonly phone: string;
}

interface Reply {
  readonly structured_output: {
    readonly known: boolean;
    readonly country?: string;
    readonly calling_code?: string;
    readonly national_number?: string;
  };
}

/** Finds the country of a phone number by its calling code. */
export default function lookup({ phone }: PhoneInput): Reply {
  const digits = phone.replace(/^00/, "+").replace(/[^+\d]/g, "");
  // No calling code is the beginning of another.
  for (const [code, country] of Object.entries(countriesByCode)) {
    if (!digits.startsWith(`+${code}`)) continue;
    const national_number = digits.slice(code.length + 1);
    return { structured_output: { known: true, country, calling_code: `+${code}`, national_number } };
  }
  return { structured_output: { known: false } };
}
