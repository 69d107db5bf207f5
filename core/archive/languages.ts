/** Languages with two codes in ISO 639-2, by the terminological one: https://www.loc.gov/standards/iso639-2 */
const BIBLIOGRAPHIC: Readonly<Record<string, string>> = {
  ...{ bod: 'tib', ces: 'cze', cym: 'wel', deu: 'ger', ell: 'gre', eus: 'baq', fas: 'per', fra: 'fre', hye: 'arm' },
  ...{ isl: 'ice', kat: 'geo', mkd: 'mac', mri: 'mao', msa: 'may', mya: 'bur', nld: 'dut', ron: 'rum', slk: 'slo' },
  ...{ sqi: 'alb', zho: 'chi' },
};

/** The bibliographic code of a language, which most have in common with the terminological one. */
export function bibliographic(language: string): string {
  return BIBLIOGRAPHIC[language] ?? language;
}
