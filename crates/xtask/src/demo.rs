pub(crate) fn demo(_: &[&str]) -> anyhow::Result<()> {
    Ok(())
}
