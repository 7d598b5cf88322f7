import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Their licenses ask that the text travels with the code, and a bundle leaves it behind in node_modules. Writes the name,
 * the version and the license of every package that the bundle holds code of.
 */
export function writeLicenses(metafile, file) {
  const folders = bundledPackages(metafile);
  const sections = folders.map(sectionOf).sort((a, b) => (a < b ? -1 : 1));
  writeFileSync(
    file,
    `Packages that the bundles hold code of, each with its license.\n${[...new Set(sections)].join('')}`,
  );
}

/** The folders of the packages that the bundles hold code of. */
export function bundledPackages(metafile) {
  const bundled = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter((input) => inputs[input].bytesInOutput > 0),
  );
  return [...new Set(bundled.map(packageFolder))].filter((folder) => folder !== undefined);
}

/** The nearest folder with a named package.json; folders inside a package have nameless ones, to say "module". */
function packageFolder(input) {
  if (!/(^|\/)node_modules\//.test(input)) return undefined;
  for (let folder = dirname(input); !folder.endsWith('node_modules'); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version !== undefined) return folder;
  }
  throw new Error(`${input} belongs to no package`);
}

function sectionOf(folder) {
  const { name, version, license = 'see below' } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const read = (pattern) =>
    files
      .filter((entry) => pattern.test(entry.name))
      .map((entry) => readFileSync(join(folder, entry.name), 'utf8').trim());
  const texts = read(/^(licen[cs]e|copying|notice)/i);
  // Some say it in their read-me only, and some in nothing but their package.json.
  if (texts.length === 0)
    texts.push(...read(/^readme/i).flatMap((text) => /^#+ *licen[cs]e[^]*/im.exec(text)?.[0] ?? []));
  if (texts.length === 0 && license === 'see below') throw new Error(`${name} says nowhere what its license is`);
  return ['', '-'.repeat(80), `${name} ${version} (${license})`, '', ...texts, ''].join('\n');
}
