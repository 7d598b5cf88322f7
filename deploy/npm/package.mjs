import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Lays out the npm package in a folder of its own (build/package, or the one that is named). The bundle holds everything
 * it needs, so the package has no dependencies: `npx` fetches one file instead of a hundred packages.
 *
 *   npm run package && npm publish ./build/package
 */
const folder = process.argv[2] ?? 'build/package';
const { name, version, ...source } = JSON.parse(readFileSync('package.json', 'utf8'));
const { description, keywords, homepage, bugs, license, author, repository, mcpName, engines } = source;
/** Address of the repository on the web. */
const address = repository.url.replace(/^git\+|\.git$/g, '');
const bin = { [name]: 'dist/main.js' };

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'dist'), { recursive: true });
cpSync('LICENSE', join(folder, 'LICENSE'));
writeFileSync(join(folder, 'README.md'), withAbsoluteLinks(readFileSync('README.md', 'utf8')));
cpSync('dist/THIRD-PARTY-LICENSES.txt', join(folder, 'THIRD-PARTY-LICENSES.txt'));
cpSync('dist/main.js', join(folder, 'dist', 'main.js'));
const about = { name, version, description, keywords, homepage, bugs, license, author, repository };
const manifest = { ...about, mcpName, engines, bin, files: ['dist', '*.txt'] };
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`${name} ${version} lies in ${folder}`);

/** Links to files of the repository, which the page of the package cannot show, as addresses of the release. */
function withAbsoluteLinks(page) {
  return page.replace(/\]\((?!https?:|#|mailto:)([^)]+)\)/g, `](${address}/blob/v${version}/$1)`);
}
