/// The page's style: one column on a phone, light or dark as the reader's system is.
let pageStyle: Markup = """

    :root { color-scheme: light dark; --ink: #1c2430; --paper: #ffffff; --panel: #f4f6f8; --rule: #d8dde3; --good: #0f7b5f; }
    @media (prefers-color-scheme: dark) {
    :root { --ink: #e4e8ee; --paper: #14181f; --panel: #1d232c; --rule: #364050; --good: #57d3ad; } }
    * { box-sizing: border-box; }
    body { margin: 0; color: var(--ink); background: var(--paper); overflow-wrap: break-word;
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
    main { max-width: 60rem; margin: 0 auto; padding: 1rem 1rem 4rem; }
    h1 { font-size: 1.7rem; line-height: 1.2; margin: 1rem 0 .5rem; }
    h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--rule); }
    h3 { font-size: 1rem; margin: 0; }
    p { margin: .5rem 0; max-width: 44rem; }
    .soft { opacity: .75; }
    .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.5rem 0; }
    .figures div { display: flex; flex-direction: column; padding: .75rem 1rem; background: var(--panel); border-radius: .5rem; }
    .figures dd { order: -1; margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
    .figures dt { font-size: .85rem; opacity: .75; }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 27rem)); gap: 2rem; }
    figure { margin: .5rem 0; }
    .scroll { overflow-x: auto; margin: 1rem 0; }
    table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
    th, td { padding: .35rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
    th { font-weight: 500; } thead th { font-weight: 600; }
    th:first-child { text-align: left; padding-left: 0; min-width: 7.5rem; white-space: normal; }
    .strong th, .strong td { font-weight: 700; }
    .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); gap: 1rem; }
    article { padding: 1rem; background: var(--panel); border-radius: .5rem; min-width: 0; }
    article ul, article ol { margin: .25rem 0 .75rem; padding-left: 1.4rem; }
    article p { margin: .25rem 0 0; font-size: .9rem; }
    .hit { color: var(--good); }
    details { margin: .5rem 0; } summary { cursor: pointer; }
    pre { overflow-x: auto; padding: 1rem; background: var(--panel); border-radius: .5rem; font-size: .85rem; }

    """
