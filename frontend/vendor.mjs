// Rewrites static/vendor from the lockfile: `npm ci --ignore-scripts && node vendor.mjs`.
// `--check` writes to a temporary folder instead and fails if the committed files differ.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const committed = join(here, "../static/vendor");
const check = process.argv.includes("--check");
const out = check ? await mkdtemp(join(tmpdir(), "vendor-")) : committed;

const COPIES = {
  "htmx.org/dist/htmx.min.js": "htmx.js",
  "uplot/dist/uPlot.min.css": "uplot.css",
};
const COPIED = ["htmx.org", "lucide-static", "pdfjs-dist"]; // whole or in part, not bundled
const SAID = { khroma: "MIT" }; // in its licence file alone

const bundled = new Set();
const packageOf = (path) => /^(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(path)[0];

/** src: modules of our pages; frames: classic scripts for frames of an opaque origin. */
async function bundle() {
  for (const [folder, format] of [["src", "esm"], ["frames", "iife"]]) {
    const names = await readdir(join(here, folder));
    const { metafile } = await build({
      absWorkingDir: here,
      entryPoints: names.sort().map((name) => `${folder}/${name}`),
      outdir: out,
      bundle: true,
      minify: true,
      format,
      target: "es2022",
      legalComments: "eof",
      alias: { "elkjs/lib/elk.bundled.js": "./absent.js", entities: "./entities.js" },
      metafile: true,
    });
    for (const path of Object.keys(metafile.inputs)) bundled.add(packageOf(path));
  }
  for (const [from, to] of Object.entries(COPIES)) await cp(join(modules, from), join(out, to));
}

/** KaTeX's style sheet with woff2 only: the manifest storage must find every url() it names. */
async function katexStyles() {
  const dist = join(modules, "katex/dist");
  await mkdir(join(out, "katex/fonts"), { recursive: true });
  const css = await readFile(join(dist, "katex.min.css"), "utf8");
  const slim = css.replace(/,url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, "");
  await writeFile(join(out, "katex/katex.css"), slim);
  for (const font of await readdir(join(dist, "fonts"))) {
    if (font.endsWith(".woff2")) await cp(join(dist, "fonts", font), join(out, "katex/fonts", font));
  }
}

/**
 * pdf.js as it comes, unhashed: it asks for its character maps, fonts and decoders by name, so the
 * version is in the folder's. Without the Liberation fonts (their licence) and without WebAssembly
 * (the policy forbids it).
 */
async function pdfjs() {
  const from = join(modules, "pdfjs-dist");
  const { version } = JSON.parse(await readFile(join(from, "package.json"), "utf8"));
  const to = join(out, `pdfjs-${version}`);
  const take = (path, name) => cp(join(from, path), join(to, name), { recursive: true });
  await take("legacy/build/pdf.min.mjs", "pdf.mjs");
  await take("legacy/build/pdf.worker.min.mjs", "pdf.worker.mjs");
  await take("cmaps", "cmaps");
  for (const name of ["FoxitDingbats.pfb", "FoxitSymbol.pfb", "LICENSE_FOXIT"]) {
    await take(`standard_fonts/${name}`, `fonts/${name}`);
  }
  for (const name of ["jbig2", "openjpeg"]) {
    await take(`wasm/${name}_nowasm_fallback.js`, `decoders/${name}_nowasm_fallback.js`);
    await take(`wasm/LICENSE_${name.toUpperCase()}`, `decoders/LICENSE_${name.toUpperCase()}`);
  }
}

/** One sprite of the icons named in icons.txt, for <use href="…/icons.svg#name">. */
async function sprite() {
  const names = (await readFile(join(here, "icons.txt"), "utf8")).trim().split("\n");
  const symbols = [];
  for (const name of names) {
    const svg = await readFile(join(modules, "lucide-static/icons", `${name}.svg`), "utf8");
    const body = /<svg[^>]*>(.*)<\/svg>/s.exec(svg)[1].trim().replace(/\s*\n\s*/g, "");
    symbols.push(`<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`);
  }
  const xml = `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
  await writeFile(join(out, "icons.svg"), xml);
}

/** The licence of every package whose code is in static/vendor, in full. */
async function licences() {
  const lock = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
  const shipped = new Set([...bundled, ...COPIED.map((name) => `node_modules/${name}`)]);
  const parts = [];
  for (const path of Object.keys(lock.packages).sort()) {
    if (!shipped.has(path)) continue;
    const { version, license } = lock.packages[path];
    const files = (await readdir(join(here, path))).filter((name) => /^licen[cs]e/i.test(name)).sort();
    const texts = await Promise.all(files.map((name) => readFile(join(here, path, name), "utf8")));
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    parts.push(`== ${name} ${version} (${license ?? SAID[name]}) ==\n\n${texts.join("\n\n").trim()}\n`);
  }
  await writeFile(join(out, "LICENCES.txt"), parts.join("\n\n"));
}

async function checksums(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name !== "SHA256SUMS")
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const lines = [];
  for (const file of files.sort()) {
    const digest = createHash("sha256").update(await readFile(file)).digest("hex");
    lines.push(`${digest}  ${relative(folder, file)}`);
  }
  return lines.join("\n") + "\n";
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await bundle();
await katexStyles();
await pdfjs();
await sprite();
await licences();
const sums = await checksums(out);
if (check) {
  const listed = await readFile(join(committed, "SHA256SUMS"), "utf8");
  const present = await checksums(committed);
  await rm(out, { recursive: true, force: true });
  if (sums !== listed || sums !== present) {
    console.error("static/vendor does not match the lockfile: run `node vendor.mjs`.");
    process.exit(1);
  }
} else {
  await writeFile(join(out, "SHA256SUMS"), sums);
}
