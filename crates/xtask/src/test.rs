pub(crate) fn test(_: &[&str]) -> anyhow::Result<()> {
    Ok(())
}
