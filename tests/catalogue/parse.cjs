// Reads AsyncAPI documents (a JSON array of texts) and says what AsyncAPI's own parser makes of
// each: whether it could be read, and every error and warning.
const { Parser } = require(require('path').join(process.argv[2], '@asyncapi', 'parser'));

const ABOUT_VERSIONS_OF_ASYNCAPI = 'asyncapi-latest-version';

async function main() {
  const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const found = [];
  for (const text of texts) {
    const { document, diagnostics } = await new Parser().parse(text);
    found.push({
      messages: document ? document.messages().all().map((one) => one.id()) : null,
      problems: diagnostics
        .filter((one) => one.code !== ABOUT_VERSIONS_OF_ASYNCAPI)
        .map((one) => `${one.code}: ${one.message} (${one.path.join('/')})`),
    });
  }
  process.stdout.write(JSON.stringify(found));
}

main();
