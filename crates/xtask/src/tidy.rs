pub(crate) fn tidy() -> anyhow::Result<()> {
    Ok(())
}
pub(crate) fn tidy_counted() -> anyhow::Result<crate::test::Counts> {
    Ok(Default::default())
}
