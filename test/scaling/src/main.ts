// npm run scaling: computes the tables of deploy/SCALING.md anew from the numbers that stand in it.
import { BLOCKS } from './blocks.ts';
import { document, numbersIn, withBlock, writeDocument } from './numbers.ts';

let text = document();
const numbers = numbersIn(text);
for (const [name, block] of Object.entries(BLOCKS)) text = withBlock(text, name, block(numbers));
writeDocument(text);
process.stdout.write(
  Object.values(BLOCKS)
    .map((block) => block(numbers))
    .join('\n'),
);
