// What is used of pdfmake. The types that others publish for it bring those of browsers along, for the whole project.

declare module 'pdfmake/interfaces' {
  export type Margin = number | [number, number] | [number, number, number, number];
  type Style = {
    font?: string;
    fontSize?: number;
    color?: string;
    bold?: boolean;
    alignment?: 'left' | 'right' | 'center' | 'justify';
    margin?: Margin;
    lineHeight?: number;
    characterSpacing?: number;
    noWrap?: boolean;
    fillColor?: string | null;
    width?: number | string;
    unbreakable?: boolean;
    pageBreak?: 'before' | 'after';
  };
  type Run = Style & { text: string | number | Text[] };
  type Text = string | Run;
  type Table = {
    body: TableCell[][];
    widths?: readonly (number | string)[];
    headerRows?: number;
    dontBreakRows?: boolean;
    keepWithHeaderRows?: number;
  };
  type Node = Style &
    (
      | { text: Text | readonly Text[] | string | readonly Content[] }
      | { stack: readonly Content[] }
      | { columns: readonly Column[]; columnGap?: number }
      | { table: Table; layout?: CustomTableLayout | string }
      | { svg: string; fit?: [number, number]; height?: number }
      | { image: string; fit?: [number, number] }
      | { canvas: readonly object[] }
    );
  export type Content = string | Node | readonly Content[];
  export type Column = Content;
  export type TableCell =
    Content | (Node & { colSpan?: number; rowSpan?: number; border?: boolean[] }) | Record<string, never>;
  type Measured = { table: Table };
  export type CustomTableLayout = {
    hLineWidth?: (line: number, node: Measured) => number;
    vLineWidth?: (line: number, node: Measured) => number;
    hLineColor?: (line: number, node: Measured) => string;
    vLineColor?: (line: number, node: Measured) => string;
    fillColor?: (row: number, node: Measured) => string | null;
    paddingLeft?: (column: number, node: Measured) => number;
    paddingRight?: (column: number, node: Measured) => number;
    paddingTop?: (row: number, node: Measured) => number;
    paddingBottom?: (row: number, node: Measured) => number;
  };
  export type TDocumentDefinitions = {
    pageSize?: string;
    pageMargins?: Margin;
    version?: string;
    language?: string;
    displayTitle?: boolean;
    info?: {
      title?: string;
      author?: string;
      subject?: string;
      creator?: string;
      producer?: string;
      creationDate?: Date;
      modDate?: Date;
    };
    defaultStyle?: Style;
    header?: (page: number, pages: number) => Content | null;
    footer?: (page: number, pages: number) => Content | null;
    content: Content;
    images?: Record<string, string>;
    files?: Record<string, object>;
  };
}

declare module 'pdfmake' {
  import type { TDocumentDefinitions } from 'pdfmake/interfaces';

  const pdfmake: {
    setFonts(fonts: Record<string, { normal: string; bold: string }>): void;
    setLocalAccessPolicy(mayRead: (path: string) => boolean): void;
    setUrlAccessPolicy(mayFetch: (url: string) => boolean): void;
    createPdf(definition: TDocumentDefinitions): { getBuffer(): Promise<Buffer> };
  };
  export default pdfmake;
}
