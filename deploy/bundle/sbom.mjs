import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledPackages } from './licenses.mjs';

const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/**
 * Writes a list of the packages that the bundles hold code of, in CycloneDX, for scanners that know no other way to see
 * what is in them. Made from the bundles rather than by "npm sbom", which lists what is installed and leaves packages out
 * that development needs as well.
 */
export function writeSbom(metafile, file) {
  const components = new Map(bundledPackages(metafile).map((folder) => [purl(manifestOf(folder)), manifestOf(folder)]));
  const { name, version } = manifestOf('.');
  const sbom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': purl({ name, version }), name, version } },
    components: [...components]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([ref, manifest]) => componentOf(ref, manifest)),
  };
  writeFileSync(file, `${JSON.stringify(sbom, null, 2)}\n`);
}

function componentOf(ref, { name, version, license }) {
  const licenses = typeof license === 'string' ? { licenses: [{ expression: license }] } : {};
  return { type: 'library', 'bom-ref': ref, name, version, ...licenses, purl: ref };
}

/** The address of a package, as https://github.com/package-url/purl-spec spells it. */
function purl({ name, version }) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}
